"""A pushed model, loaded as TensorFlow Serving would load it: the SavedModel and nothing of TFX."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.errors import PostersError
from components.trainer import export

#: Images a request; the model itself bounds its memory whatever the number.
_BATCH_IMAGES = 64


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What the model says of one image file.

    Attributes:
      path: the file.
      scores: by label, in [0, 1]; above 0.5 gives the label.
      probabilities: by label, calibrated.
      error: why there is no answer, or None; scores and probabilities are empty then.
    """

    path: Path
    scores: dict[str, float]
    probabilities: dict[str, float]
    error: str | None = None

    @property
    def labels(self) -> list[str]:
        """The labels given, best first."""
        given = [label for label, score in self.scores.items() if score > 0.5]
        return sorted(given, key=lambda label: -self.scores[label])


def newest_version(models: Path) -> Path:
    """The version with the highest number in a folder of pushed versions.

    Raises:
      PostersError: there is none.
    """
    versions = (
        [path for path in models.iterdir() if path.name.isdigit() and _is_model(path)]
        if models.is_dir()
        else []
    )
    if not versions:
        raise PostersError(
            f"{models} holds no pushed model. `posters run` pushes one when it is blessed."
        )
    return max(versions, key=lambda path: int(path.name))


class Predictor:
    """Answers for image files."""

    def __init__(self, folder: Path) -> None:
        """Loads a pushed version.

        Args:
          folder: holds saved_model.pb, or numbered versions of which the newest is taken.

        Raises:
          PostersError: there is no model of this project.
        """
        self.folder = folder if _is_model(folder) else newest_version(folder)
        try:
            self._model = tf.saved_model.load(str(self.folder))
            self._answer = self._model.signatures["serving_default"]
            self._labels = export.read_description(str(self.folder))["labels"]
        except (tf.errors.OpError, ValueError, KeyError, OSError) as error:
            raise PostersError(
                f"{self.folder} is no model that `posters run` pushed: {error}"
            ) from error

    def predict(self, paths: Sequence[Path]) -> Iterator[Prediction]:
        """Yields one prediction a file, in order; a file that cannot be read spoils no other."""
        for start in range(0, len(paths), _BATCH_IMAGES):
            batch = paths[start : start + _BATCH_IMAGES]
            images = [_read(path) for path in batch]
            try:
                if all(isinstance(image, bytes) for image in images):
                    yield from self._ask(batch, images)
                    continue
            except tf.errors.InvalidArgumentError:
                pass  # one by one, to tell which
            for path, image in zip(batch, images, strict=True):
                yield self._ask_one(path, image)

    def _ask_one(self, path: Path, image: bytes | OSError) -> Prediction:
        if isinstance(image, OSError):
            return Prediction(path, {}, {}, image.strerror or str(image))
        try:
            return self._ask([path], [image])[0]
        except tf.errors.InvalidArgumentError:
            size = f"{len(image)} bytes" if image else "0 bytes"
            reason = f"not an image that can be decoded ({size}): JPEG, PNG, GIF and BMP can"
            return Prediction(path, {}, {}, reason)

    def _ask(self, paths: Sequence[Path], images: Sequence[bytes]) -> list[Prediction]:
        outputs = self._answer(**{export.IMAGE_INPUT: tf.constant(list(images))})
        scores, probabilities = outputs["scores"].numpy(), outputs["probabilities"].numpy()
        return [
            Prediction(path, self._by_label(row), self._by_label(probability))
            for path, row, probability in zip(paths, scores, probabilities, strict=True)
        ]

    def _by_label(self, row: np.ndarray) -> dict[str, float]:
        return {label: float(value) for label, value in zip(self._labels, row, strict=True)}


def _is_model(folder: Path) -> bool:
    return (folder / "saved_model.pb").is_file()


def _read(path: Path) -> bytes | OSError:
    try:
        return path.read_bytes()
    except OSError as error:
        return error
