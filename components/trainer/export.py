"""The exported model: from encoded images to scores, as one SavedModel.

Signatures:
  serving_default   `image_bytes` (N,) strings -> `scores` (N, L), `probabilities` (N, L), and the
                    label names (N, L) under the label feature's name.
  serving_examples  `examples` (N,) serialized tf.Examples -> the same.
  transform_labels  `examples` (N,) serialized tf.Examples -> the multi-hot labels (N, L) under
                    their transformed name; this is how the Evaluator gets its truth.

A score above 0.5 gives its label. Row i of every output belongs to row i of the input.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components import pixels
from components.features import Features
from components.trainer.calibration import Calibration

#: Beside a SavedModel, where TensorFlow Serving looks for nothing: what the model is, for programs.
DESCRIPTION_FILE = "assets.extra/model.json"
SERVING_EXAMPLES = "serving_examples"
TRANSFORM_LABELS = "transform_labels"
IMAGE_INPUT = "image_bytes"
#: Views decoded and passed forward at a time: memory does not grow with the size of a request.
_CHUNK_VIEWS = 64


@dataclasses.dataclass(frozen=True)
class ModelParts:
    """Everything the exported model is made of.

    Attributes:
      transform: Transform's layer, raw features -> transformed features.
      raw_feature_spec: the raw examples' parsing specification.
      extractor: a layer or function, (N, size, size, 3) float32 -> (N, D) float32.
      head: a layer or function, (N, D) float32 -> (N, L) logits.
      calibration: one map and threshold a label.
      labels: their names, in order.
      features: the examples' feature names.
      image_size: side in pixels.
      views: what of an image the extractor sees; the features of several are averaged.
    """

    transform: Callable[[dict], dict]
    raw_feature_spec: dict
    extractor: Callable[[tf.Tensor], tf.Tensor]
    head: Callable[[tf.Tensor], tf.Tensor]
    calibration: Calibration
    labels: Sequence[str]
    features: Features
    image_size: int
    views: Sequence[str]


def _traced(name: str) -> Callable[[Callable], Callable]:
    """A graph function of one (N,) string tensor of that name.

    Without autograph: nothing here needs it, and converting the libraries below takes it seconds.
    """
    spec = tf.TensorSpec((None,), tf.string, name=name)
    return tf.function(input_signature=[spec], autograph=False)


class PosterModel(tf.Module):
    """Images in, scores out; see the module's docstring for the signatures."""

    def __init__(self, parts: ModelParts) -> None:
        super().__init__(name="poster_model")
        # What is not tracked as an attribute is not saved: Transform's tables, and all weights. The
        # layers themselves are kept out of sight: Keras would trace each of them again to save it.
        self.transform_tables = parts.transform._saved_model_loader_tracked_dict
        self.extractor_weights = list(getattr(parts.extractor, "weights", ()))
        self.head_weights = list(getattr(parts.head, "variables", ()))
        self._transform = lambda raw: parts.transform(raw)
        self._extractor = lambda images: parts.extractor(images)
        self._head = lambda features: parts.head(features)
        calibration = parts.calibration
        self._slope = tf.constant(calibration.slope, tf.float32)
        self._intercept = tf.constant(calibration.intercept, tf.float32)
        self._score_intercept = tf.constant(calibration.score_intercept, tf.float32)
        self._labels = tf.constant([list(parts.labels)])
        self._features = parts.features
        self._raw_feature_spec = parts.raw_feature_spec
        self._image_size = parts.image_size
        self._views = tuple(parts.views)

    @_traced(IMAGE_INPUT)
    def serve_images(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """`serving_default`."""
        logits = self._logits(image_bytes) * self._slope
        return {
            "scores": tf.sigmoid(logits + self._score_intercept),
            "probabilities": tf.sigmoid(logits + self._intercept),
            self._features.labels: tf.tile(self._labels, (tf.shape(image_bytes)[0], 1)),
        }

    @_traced("examples")
    def serve_examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """`serving_examples`."""
        return self.serve_images(self._parse(examples, self._features.image)[:, 0])

    @_traced("examples")
    def transform_labels(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """`transform_labels`; decodes no image."""
        names = self._features
        transformed = self._transform({names.labels: self._parse(examples, names.labels)})
        return {names.labels_xf: transformed[names.labels_xf]}

    def _logits(self, image_bytes: tf.Tensor) -> tf.Tensor:
        """(N,) encoded images to (N, L) logits, a bounded number of images at a time."""
        width = self._labels.shape[1]
        images = max(1, _CHUNK_VIEWS // len(self._views))
        starts = tf.range(0, tf.shape(image_bytes)[0], images)
        chunks = tf.map_fn(
            lambda start: tf.RaggedTensor.from_tensor(
                self._chunk_logits(image_bytes[start : start + images])
            ),
            starts,
            fn_output_signature=tf.RaggedTensorSpec((None, None), tf.float32),
            parallel_iterations=1,
        )
        return tf.reshape(chunks.flat_values, (-1, width))

    def _chunk_logits(self, image_bytes: tf.Tensor) -> tf.Tensor:
        transformed = self._transform({self._features.image: image_bytes[:, tf.newaxis]})
        stored = transformed[self._features.image_xf]
        images = pixels.to_model_views(stored, self._image_size, self._views)
        # View after view, so that one split takes the features apart again.
        vectors = tf.cast(self._extractor(tf.concat(images, axis=0)), tf.float32)
        features = tf.add_n(tf.split(vectors, len(images))) / len(images)
        return tf.cast(self._head(features), tf.float32)

    def _parse(self, examples: tf.Tensor, feature: str) -> tf.Tensor | tf.SparseTensor:
        spec = {feature: self._raw_feature_spec[feature]}
        return tf.io.parse_example(examples, spec)[feature]


def export(parts: ModelParts, folder: str, description: dict[str, Any]) -> None:
    """Writes the SavedModel and, beside it, its description.

    Args:
      parts: see `ModelParts`.
      folder: where the SavedModel goes.
      description: more of what a program may want to know, JSON values; the labels, the
        calibration, the image size, the views and the feature names are added.
    """
    model = PosterModel(parts)
    tf.saved_model.save(
        model,
        folder,
        signatures={
            "serving_default": model.serve_images,
            SERVING_EXAMPLES: model.serve_examples,
            TRANSFORM_LABELS: model.transform_labels,
        },
        # Paths of the machine that trained have no place in what is shipped.
        options=tf.saved_model.SaveOptions(save_debug_info=False),
    )
    calibration = {
        name: np.asarray(values).tolist()
        for name, values in dataclasses.asdict(parts.calibration).items()
    }
    description = {
        **description,
        "labels": list(parts.labels),
        "features": dataclasses.asdict(parts.features),
        "image_size": parts.image_size,
        "views": list(parts.views),
        "calibration": calibration,
    }
    path = f"{folder}/{DESCRIPTION_FILE}"
    tf.io.gfile.makedirs(path.rsplit("/", 1)[0])
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(json.dumps(description, indent=1, ensure_ascii=False))


def read_description(folder: str) -> dict[str, Any]:
    """The description that `export` wrote beside a SavedModel.

    Raises:
      tf.errors.OpError, ValueError: there is none, or it is not JSON.
    """
    with tf.io.gfile.GFile(f"{folder}/{DESCRIPTION_FILE}") as file:
        return json.loads(file.read())
