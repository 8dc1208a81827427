"""A TensorFlow Lite model against the SavedModel it was made of, on the test split."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import tensorflow as tf

from components import pixels
from components.errors import PostersError
from components.evaluator.counts import DECISION_POINT, count
from components.features import Features
from components.serving.asking import batches
from components.tflite.convert import LiteModel
from components.trainer import export

_BATCH = 64
#: How near a Lite model's scores are meant to be to the SavedModel's.
SCORE_BOUND = 1e-2


@dataclasses.dataclass(frozen=True)
class Parity:
    """What became of the answers.

    Attributes:
      examples: how many were asked about.
      largest_difference, mean_difference: of scores, over all examples and labels.
      same_decisions: share of decisions (score above 0.5) that are the same, in [0, 1].
      macro_f1: of the SavedModel, at 0.5.
      lite_macro_f1: of the TensorFlow Lite model.
      by_label: by label, both F1s.
    """

    examples: int
    largest_difference: float
    mean_difference: float
    same_decisions: float
    macro_f1: float
    lite_macro_f1: float
    by_label: dict[str, tuple[float, float]]

    @property
    def drop(self) -> float:
        """How far macro-F1 falls; below zero if it rises."""
        return self.macro_f1 - self.lite_macro_f1

    @property
    def within_bound(self) -> bool:
        """Whether no score is further off than `SCORE_BOUND`; false where one is no number."""
        return self.largest_difference <= SCORE_BOUND


def measure(
    folder: str,
    lite: LiteModel,
    records: Iterable[bytes],
    labels: Sequence[str],
    features: Features,
    progress: Callable[[int], None] = lambda done: None,
) -> Parity:
    """Asks both models about the same examples.

    The SavedModel gets the encoded image and the Lite model the squares that `components.pixels`
    makes of it, so what is compared is all that an application would see.

    Args:
      folder: the SavedModel's.
      lite: made of it.
      records: serialized examples with their labels.
      labels: the vocabulary.
      features: the examples' feature names.
      progress: called with the number of examples done.

    Raises:
      PostersError: there is no example, or one has an image that cannot be decoded.
    """
    model = tf.saved_model.load(folder)
    size = model.signatures[export.PIXELS].structured_input_signature[1][export.PIXELS].shape[2]
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    done = 0
    for batch in batches(records, _BATCH):
        examples = tf.constant(batch)
        answer = model.signatures[export.SERVING_EXAMPLES](examples=examples)
        stored = model.signatures[export.TRANSFORM_FEATURES](examples=examples)
        _refuse_undecodable(stored[export.STATUS].numpy())
        squares = squares_of(stored[features.image_xf], size)
        truth = stored[features.labels_xf].numpy()
        found.append((truth, answer["scores"].numpy(), lite.ask(squares)["scores"]))
        done += len(batch)
        progress(done)
    if not found:
        raise PostersError("there is no example to compare the models on")
    truth, scores, lite_scores = map(np.concatenate, zip(*found, strict=True))
    return compare(labels, truth, scores, lite_scores)


def squares_of(stored: tf.Tensor, size: int) -> np.ndarray:
    """What Transform stores of images, decoded: (N, G) strings to (N, G, size, size, 3) uint8."""
    rows = [[pixels.decode_stored(image, size) for image in row] for row in stored]
    return np.array(rows, np.uint8)


def compare(
    labels: Sequence[str], truth: np.ndarray, scores: np.ndarray, lite_scores: np.ndarray
) -> Parity:
    """Compares two models' scores of the same examples, all (N, L)."""
    apart = np.abs(scores - lite_scores)
    f1, lite_f1 = count(truth, scores).f1, count(truth, lite_scores).f1
    same = (scores > DECISION_POINT) == (lite_scores > DECISION_POINT)
    return Parity(
        examples=len(truth),
        # NaN is the largest: a model that gives none must not look near.
        largest_difference=float(apart.max()),
        mean_difference=float(apart.mean()),
        same_decisions=float(same.mean()),
        macro_f1=float(f1.mean()),
        lite_macro_f1=float(lite_f1.mean()),
        by_label={
            label: (float(one), float(other))
            for label, one, other in zip(labels, f1, lite_f1, strict=True)
        },
    )


def _refuse_undecodable(status: np.ndarray) -> None:
    for row in status:
        if row:
            raise PostersError(f"an image of the test split cannot be compared: {row.decode()}")
