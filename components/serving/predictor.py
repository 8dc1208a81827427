"""Answers for image files, from a pushed model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from components.serving import versions
from components.serving.model import ServedModel
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


class Predictor:
    """Answers for image files."""

    def __init__(self, folder: Path) -> None:
        """Loads a pushed version.

        Args:
          folder: holds saved_model.pb, or numbered versions of which the newest is taken.

        Raises:
          PostersError: there is no model of this project.
        """
        self.folder = folder if versions.is_model(folder) else versions.newest(folder)
        self._model = ServedModel(self.folder)

    def predict(self, paths: Sequence[Path]) -> Iterator[Prediction]:
        """Yields one prediction a file, in order; a file that cannot be read spoils no other."""
        for start in range(0, len(paths), _BATCH_IMAGES):
            batch = paths[start : start + _BATCH_IMAGES]
            images = [_read(path) for path in batch]
            read = [image for image in images if isinstance(image, bytes)]
            answers = iter(self._ask(read) if read else ())
            for path, image in zip(batch, images, strict=True):
                if isinstance(image, bytes):
                    yield dataclasses.replace(next(answers), path=path)
                else:
                    yield Prediction(path, {}, {}, image.strerror or str(image))

    def _ask(self, images: Sequence[bytes]) -> Iterator[Prediction]:
        outputs = self._model.ask(export.SERVING_DEFAULT, images)
        rows = (outputs[key] for key in ("scores", "probabilities", export.STATUS))
        for scores, probabilities, status in zip(*rows, strict=True):
            if status:
                yield Prediction(Path(), {}, {}, status.decode())
            else:
                yield Prediction(Path(), self._by_label(scores), self._by_label(probabilities))

    def _by_label(self, row: np.ndarray) -> dict[str, float]:
        return {label: float(value) for label, value in zip(self._model.labels, row, strict=True)}


def _read(path: Path) -> bytes | OSError:
    try:
        return path.read_bytes()
    except OSError as error:
        return error
