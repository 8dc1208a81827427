"""How well scores put the examples with a label before those without, whatever the threshold.

Exact, on all scores at once: a histogram of thresholds is neither.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def auc(truth: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve: the Mann-Whitney statistic, ties counting half.

    Equal to scikit-learn's `roc_auc_score`.

    Args:
      truth: (N,) bool.
      scores: (N,) float.

    Returns:
      The area, in [0, 1]; NaN where every example, or none, is positive.
    """
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return float("nan")
    rank_sum = rankdata(scores)[truth].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(truth: np.ndarray, scores: np.ndarray) -> float:
    """Area under the steps of the precision-recall curve.

    Equal to scikit-learn's `average_precision_score`: the sum over thresholds, highest first, of
    the gain in recall times the precision there.

    Args:
      truth: (N,) bool.
      scores: (N,) float.

    Returns:
      The area, in (0, 1]; NaN without a positive.
    """
    if not truth.any():
        return float("nan")
    hits, given = _hits_by_threshold(truth, scores)
    gains = np.diff(hits, prepend=0) / hits[-1]
    return float(np.sum(gains * hits / given))


def best_f1(truth: np.ndarray, scores: np.ndarray) -> float:
    """The highest F1 that any threshold gives on these very examples.

    No promise for others: it is fitted where it is reported. On scores that have nothing to do with
    the truth it falls to about the F1 of answering yes to everything.

    Args:
      truth: (N,) bool.
      scores: (N,) float.

    Returns:
      The F1, in [0, 1]; NaN without a positive.
    """
    if not truth.any():
        return float("nan")
    hits, given = _hits_by_threshold(truth, scores)
    return float(np.max(2 * hits / (given + hits[-1])))


def _hits_by_threshold(truth: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True positives and positives given at every distinct threshold, highest first."""
    order = np.argsort(-scores, kind="stable")
    last_of_its_score = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    return np.cumsum(truth[order])[last_of_its_score], last_of_its_score + 1
