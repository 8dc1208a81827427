"""What the models answered about each example of the test split, as one file of arrays.

Ids stay beside scores: whatever is drawn from them can be traced to an image.
"""

from __future__ import annotations

import dataclasses
import io
import zipfile

import numpy as np

from components import paths
from components.errors import PostersError
from components.files import write_bytes

#: In the Evaluator's `evaluation` folder.
FILE = "predictions.npz"


@dataclasses.dataclass(frozen=True)
class Predictions:
    """Truth and answers, a row an example, sorted by id.

    Attributes:
      labels: L names, in the order of the columns.
      ids: (N,) str.
      truth: (N, L) bool.
      scores: (N, L) float32 in [0, 1]; above 0.5 the label is given. NaN if the model says so.
      probabilities: (N, L) float32 in [0, 1], calibrated.
      baseline_labels: the B names of the last blessed model, or None if there was none to ask.
      baseline_scores: (N, B) float32, what that model said of the same examples, or None.
    """

    labels: tuple[str, ...]
    ids: np.ndarray
    truth: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray
    baseline_labels: tuple[str, ...] | None = None
    baseline_scores: np.ndarray | None = None

    @property
    def is_finite(self) -> bool:
        """Whether every score and probability of the new model is a number."""
        return bool(np.isfinite(self.scores).all() and np.isfinite(self.probabilities).all())

    @property
    def common_labels(self) -> tuple[str, ...] | None:
        """The labels that both models know, in this model's order; None without a baseline."""
        if self.baseline_labels is None:
            return None
        known = set(self.baseline_labels)
        return tuple(label for label in self.labels if label in known)


def write(evaluation: str, predictions: Predictions) -> None:
    """Writes the file into an `evaluation` folder, in one step.

    Raises:
      OSError: it cannot be written.
    """
    arrays = {
        field.name: np.asarray(value)
        for field in dataclasses.fields(predictions)
        if (value := getattr(predictions, field.name)) is not None
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_bytes(paths.to_path(paths.join(evaluation, FILE)), buffer.getvalue())


def read(evaluation: str) -> Predictions:
    """Reads the file of an `evaluation` folder, wherever it lies.

    Raises:
      PostersError: there is none, or it is not whole.
    """
    path = paths.join(evaluation, FILE)
    try:
        with paths.open_file(path) as file:
            content = file.read()
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            found = dict(arrays)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise PostersError(
            f"{path}: no predictions can be read ({error}). Run `posters run` again; if it finds "
            "the Evaluator cached, its files were removed: take another workspace."
        ) from error
    for key in ("labels", "baseline_labels"):
        if key in found:
            found[key] = tuple(found[key].tolist())
    return Predictions(**found)
