"""How well scores rank, whatever the thresholds."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def macro_auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Mean over labels of the area under the ROC curve.

    For one label it is the share of (positive, negative) pairs that the scores order rightly, ties
    counting half: (R - P(P + 1) / 2) / (P * (N - P)), R the sum of the positives' ranks. Source:
    J. Hanley and B. McNeil, "The Meaning and Use of the Area under a ROC Curve" (1982).

    Args:
      labels: (N, L), 0 or 1.
      scores: (N, L), any order-preserving scale.

    Returns:
      In [0, 1]. Labels that all or none of the N have are left out; NaN if none is left.
    """
    ranks = rankdata(scores, axis=0)
    positives = labels.sum(axis=0, dtype=np.float64)
    negatives = len(labels) - positives
    pairs = positives * negatives
    rightly = (ranks * labels).sum(axis=0) - positives * (positives + 1) / 2
    return float(np.mean(rightly[pairs > 0] / pairs[pairs > 0])) if pairs.any() else float("nan")
