"""A pushed model, loaded as TensorFlow Serving would load it: the SavedModel and nothing of TFX."""

from __future__ import annotations

import functools
import io
import logging
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from PIL import Image
from tensorflow.python.saved_model import loader_impl

from components.errors import PostersError
from components.ingest.decode import as_stored
from components.paths import AnyPath
from components.trainer import export, neighbours
from components.trainer.neighbours import Neighbours

_LOG = logging.getLogger(__name__)


class ServedModel:
    """One version, ready to answer.

    Attributes:
      folder: holds saved_model.pb.
      version: the folder's number; 1 if its name is none.
      description: what `export` wrote beside the model.
      signatures: names of those that can be asked: one input, encoded strings.
    """

    def __init__(self, folder: AnyPath) -> None:
        """Loads a version and asks it about one image.

        Raises:
          PostersError: it is no model of this project, not whole, or does not answer.
        """
        self.folder = folder
        self.version = int(folder.name) if folder.name.isdecimal() else 1
        try:
            self._model = tf.saved_model.load(str(folder))
            self.description = export.read_description(str(folder))
            self.labels: list[str] = self.description["labels"]
            self._inputs = {
                name: next(iter(signature.structured_input_signature[1]))
                for name, signature in self._model.signatures.items()
                if _takes_strings(signature)
            }
            answer = self.ask(export.SERVING_DEFAULT, [_some_image()])
            scores, status = answer["scores"], answer[export.STATUS]
        except (tf.errors.OpError, ValueError, KeyError, OSError) as error:
            reason = f"it lacks {error}" if isinstance(error, KeyError) else error
            raise PostersError(
                f"{folder} is no model that `posters run` pushes: {reason}. Push one anew, or name "
                "another with --model."
            ) from error
        if scores.shape != (1, len(self.labels)) or not np.isfinite(scores).all() or status[0]:
            raise PostersError(f"{folder} does not answer: it gives {scores} for an image.")
        self.signatures = tuple(self._inputs)

    @functools.cached_property
    def neighbours(self) -> Neighbours | None:
        """Training images that were kept beside the model, or None."""
        try:
            return neighbours.read(self.folder, self.labels)
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            _LOG.error("%s/%s cannot be read: %s", self.folder, neighbours.FILE, error)
            return None

    def input_of(self, signature: str) -> str:
        """The name of a signature's one input."""
        return self._inputs[signature]

    def ask(self, signature: str, values: Sequence[bytes]) -> dict[str, np.ndarray]:
        """Asks about N values.

        Args:
          signature: one of `signatures`.
          values: encoded images or serialized examples, as the signature has it. Images are seen as
            ingest would have stored them.

        Returns:
          Its outputs, N rows each.

        Raises:
          tf.errors.InvalidArgumentError: a value is no example, where examples are wanted.
        """
        name = self._inputs[signature]
        if name == export.IMAGE_INPUT:
            values = [as_stored(value) for value in values]
        tensor = tf.constant(list(values), tf.string)
        outputs = self._model.signatures[signature](**{name: tensor})
        return {name: output.numpy() for name, output in outputs.items()}

    @functools.cached_property
    def metadata(self) -> Mapping[str, Any]:
        """The signatures in the JSON form of TensorFlow Serving."""
        (graph,) = loader_impl.parse_saved_model(str(self.folder)).meta_graphs
        return {
            name: json_format.MessageToDict(
                signature, preserving_proto_field_name=True, including_default_value_fields=True
            )
            for name, signature in graph.signature_def.items()
            if not name.startswith("__")
        }


def _takes_strings(signature: Any) -> bool:
    specs = list(signature.structured_input_signature[1].values())
    return len(specs) == 1 and specs[0].dtype == tf.string and specs[0].shape.rank == 1


def _some_image() -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").save(buffer, "JPEG")
    return buffer.getvalue()
