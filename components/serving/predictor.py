"""Predictions of a pushed model that is loaded here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from components.paths import AnyPath
from components.serving import versions
from components.serving.model import ServedModel
from components.serving.prediction import Prediction
from components.trainer import export


class Predictor:
    """An `Answerer` over a pushed version."""

    def __init__(self, folder: AnyPath) -> None:
        """Loads a pushed version.

        Args:
          folder: holds saved_model.pb, or numbered versions of which the newest is taken.

        Raises:
          PostersError: there is no model of this project.
        """
        self._model = ServedModel(version_in(folder))
        self.name = str(self._model.folder)
        self.version = str(self._model.version)
        self.labels_output: str = self._model.description["features"]["labels"]

    def ask(self, images: Sequence[bytes]) -> list[Prediction]:
        """See `Answerer`."""
        if not images:
            return []
        outputs = self._model.ask(export.SERVING_DEFAULT, images)
        rows = (outputs[key] for key in ("scores", "probabilities", export.STATUS))
        return [
            Prediction.failed(status.decode(errors="replace"))
            if status
            else Prediction(self._by_label(scores), self._by_label(probabilities))
            for scores, probabilities, status in zip(*rows, strict=True)
        ]

    def _by_label(self, row: np.ndarray) -> dict[str, float]:
        return {label: float(value) for label, value in zip(self._model.labels, row, strict=True)}


def version_in(folder: AnyPath) -> AnyPath:
    """A version's own folder, or of a folder of versions the newest.

    Raises:
      PostersError: there is none.
    """
    return folder if versions.is_model(folder) else versions.newest(folder)
