"""The new model beside the last blessed one, on the same examples and the labels both know."""

from __future__ import annotations

import dataclasses

import numpy as np

from components.evaluator import bootstrap
from components.evaluator.counts import DECISION_POINT, count


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Differences are the new model's F1 less the baseline's; C labels.

    Attributes:
      macro_f1: the new model's, over the C labels.
      baseline_macro_f1: the baseline's.
      f1: (C,), the new model's.
      baseline_f1: (C,), the baseline's.
      macro_interval: (2,), of the difference of the two macro-F1.
      intervals: (2, C), of each label's difference.
      macro_drop: how far the new model's macro-F1 falls below the baseline's; 0 where the interval
        of the difference does not lie below zero.
      drops: (C,), the same of each label, but 0 for a label with too little support; the intervals
        are wider, so that all of them together hold with the usual confidence.
      judged: (C,) bool, whether a label has support enough.
    """

    macro_f1: float
    baseline_macro_f1: float
    f1: np.ndarray
    baseline_f1: np.ndarray
    macro_interval: np.ndarray
    intervals: np.ndarray
    macro_drop: float
    drops: np.ndarray
    judged: np.ndarray

    @property
    def macro_difference(self) -> float:
        """Above 0 if the new model is better."""
        return self.macro_f1 - self.baseline_macro_f1


def compare(
    truth: np.ndarray, scores: np.ndarray, baseline_scores: np.ndarray, min_support: int
) -> Comparison:
    """Compares two models, paired example by example.

    Args:
      truth: (N, C) bool.
      scores: (N, C), the new model's, every one a number.
      baseline_scores: (N, C), the baseline's, every one a number.
      min_support: positives that a label needs for its drop to count.
    """
    decisions = [scores > DECISION_POINT, baseline_scores > DECISION_POINT]
    own, before = (count(truth, given).f1 for given in (scores, baseline_scores))
    resampled, resampled_before = bootstrap.f1_resamples(truth, decisions)
    differences = resampled - resampled_before
    macro_interval = bootstrap.interval(differences.mean(axis=1))
    macro_drop = before.mean() - own.mean()
    judged = truth.sum(axis=0) >= min_support
    # Bonferroni: twenty labels are twenty chances of a false alarm.
    tail = (1 - bootstrap.CONFIDENCE) / 2 / max(1, judged.sum())
    surely = np.quantile(differences, 1 - tail, axis=0) < 0
    return Comparison(
        macro_f1=float(own.mean()),
        baseline_macro_f1=float(before.mean()),
        f1=own,
        baseline_f1=before,
        macro_interval=macro_interval,
        intervals=bootstrap.interval(differences),
        macro_drop=float(macro_drop) if macro_interval[1] < 0 else 0.0,
        drops=np.where(judged & surely, np.maximum(before - own, 0.0), 0.0),
        judged=judged,
    )
