"""Precision, recall and F1 of one label at every threshold, exactly, from its scores."""

from __future__ import annotations

import dataclasses

import numpy as np

#: Points of a curve on the page; more cannot be told apart.
POINTS = 160


@dataclasses.dataclass(frozen=True)
class Curves:
    """One label at every distinct score taken as the threshold, from the highest down.

    Attributes:
      thresholds: (K,) distinct scores, falling; a score at or above one gives the label.
      precision: (K,) in [0, 1].
      recall: (K,) in [0, 1], rising.
      f1: (K,) in [0, 1].
      prevalence: share of the examples that carry the label: the precision of chance.
    """

    thresholds: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    prevalence: float

    @property
    def best(self) -> int:
        """Where F1 is highest; of several the highest threshold."""
        return int(np.argmax(self.f1))

    @property
    def all_positive_f1(self) -> float:
        """F1 of giving the label to every example, 2p / (1 + p) with the prevalence p."""
        return 2 * self.prevalence / (1 + self.prevalence)

    def thinned(self, points: int = POINTS) -> Curves:
        """The same curves at no more than so many thresholds, the ends and the best among them."""
        count = len(self.thresholds)
        if count <= points:
            return self
        kept = np.unique([*np.linspace(0, count - 1, points - 1).round().astype(int), self.best])
        return Curves(
            self.thresholds[kept],
            self.precision[kept],
            self.recall[kept],
            self.f1[kept],
            self.prevalence,
        )


def curves(truth: np.ndarray, scores: np.ndarray) -> Curves | None:
    """The curves of one label; equal to scikit-learn's `precision_recall_curve`.

    Args:
      truth: (N,) whether each example carries the label.
      scores: (N,) finite.

    Returns:
      None if no example carries it, or every one does, or a score is not a number: then there is
      nothing to rank.
    """
    positives = int(truth.sum())
    if not 0 < positives < len(truth) or not np.isfinite(scores).all():
        return None
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    # Examples with the same score are taken or left together.
    last = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    hits = np.cumsum(truth[order])[last]
    taken = last + 1
    return Curves(
        thresholds=ordered[last],
        precision=hits / taken,
        recall=hits / positives,
        f1=2 * hits / (taken + positives),
        prevalence=positives / len(truth),
    )
