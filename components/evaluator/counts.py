"""Decisions of a multi-label classifier, counted over all examples at once.

Plain NumPy, so that a test can hold it against scikit-learn and anything can call it.
"""

from __future__ import annotations

import dataclasses

import numpy as np

#: A score above this gives the label; a score equal to it does not.
DECISION_POINT = 0.5


@dataclasses.dataclass(frozen=True)
class LabelCounts:
    """What F1, precision and recall are computed from; (L,), or (..., L) of many resamples.

    Attributes:
      support: examples that have the label.
      true_positives: of them, those given the label.
      predicted: examples given the label.
    """

    support: np.ndarray
    true_positives: np.ndarray
    predicted: np.ndarray

    @property
    def f1(self) -> np.ndarray:
        """2TP / (predicted + support), 0 for a label never seen and never given."""
        return ratio(2 * self.true_positives, self.predicted + self.support)

    @property
    def precision(self) -> np.ndarray:
        """TP / predicted, 0 for a label never given."""
        return ratio(self.true_positives, self.predicted)

    @property
    def recall(self) -> np.ndarray:
        """TP / support, 0 for a label never seen."""
        return ratio(self.true_positives, self.support)

    @property
    def pooled(self) -> LabelCounts:
        """All labels' decisions taken as one label's: their F1 is the micro-F1."""
        sums = (np.sum(value, axis=-1) for value in dataclasses.astuple(self))
        return LabelCounts(*sums)


def count(truth: np.ndarray, scores: np.ndarray) -> LabelCounts:
    """Counts over all examples at once: neither batches nor their order matter.

    Equal to scikit-learn's `precision_recall_fscore_support(zero_division=0)`.

    Args:
      truth: (N, L), 0 or 1.
      scores: (N, L) in [0, 1].
    """
    has, given = truth > 0, scores > DECISION_POINT
    return LabelCounts(
        support=has.sum(axis=0).astype(float),
        true_positives=(has & given).sum(axis=0).astype(float),
        predicted=given.sum(axis=0).astype(float),
    )


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Numerator / denominator, 0 where the denominator is 0."""
    numerator, denominator = np.asarray(numerator, float), np.asarray(denominator, float)
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)
