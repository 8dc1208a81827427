"""Metrics of a multi-label classifier, from all its scores at once.

Plain NumPy, so that a test can hold it against scikit-learn and anything can call it.
"""

from __future__ import annotations

import dataclasses

import numpy as np

#: A score above this gives the label; a score equal to it does not.
DECISION_POINT = 0.5


@dataclasses.dataclass(frozen=True)
class LabelCounts:
    """What every metric by label is computed from; each field (L,).

    Attributes:
      support: examples that have the label.
      true_positives: of them, those given the label.
      predicted: examples given the label.
      all_positive_f1: F1 of giving the label to every example.
      auc: area under the ROC curve; NaN where every example, or none, has the label.
      examples: how many there are, a scalar.
    """

    support: np.ndarray
    true_positives: np.ndarray
    predicted: np.ndarray
    all_positive_f1: np.ndarray
    auc: np.ndarray
    examples: int

    @property
    def f1(self) -> np.ndarray:
        """2TP / (predicted + support), 0 for a label never seen and never given."""
        return _ratio(2 * self.true_positives, self.predicted + self.support)

    @property
    def precision(self) -> np.ndarray:
        """TP / predicted, 0 for a label never given."""
        return _ratio(self.true_positives, self.predicted)

    @property
    def recall(self) -> np.ndarray:
        """TP / support, 0 for a label never seen."""
        return _ratio(self.true_positives, self.support)

    @property
    def micro_f1(self) -> float:
        """F1 of all labels' decisions pooled."""
        pooled = self.predicted.sum() + self.support.sum()
        return float(_ratio(2 * self.true_positives.sum(), pooled))

    @property
    def macro_auc(self) -> float:
        """Mean AUC over the labels that have one; NaN if none has."""
        known = self.auc[~np.isnan(self.auc)]
        return float(known.mean()) if len(known) else float("nan")


def count(labels: np.ndarray, scores: np.ndarray) -> LabelCounts:
    """Counts over all examples at once: neither batches nor their order matter.

    Equal to scikit-learn's `precision_recall_fscore_support(zero_division=0)` and `roc_auc_score`.

    Args:
      labels: (N, L), 0 or 1.
      scores: (N, L) in [0, 1]. If any is NaN every result but the support is NaN: a model that
        gives NaN must not look merely weak.
    """
    truth = labels > 0
    given = scores > DECISION_POINT
    support = truth.sum(axis=0).astype(float)
    if np.isnan(scores).any():
        unknown = np.full(labels.shape[1], np.nan)
        return LabelCounts(support, unknown, unknown, unknown, unknown, len(labels))
    return LabelCounts(
        support=support,
        true_positives=(truth & given).sum(axis=0).astype(float),
        predicted=given.sum(axis=0).astype(float),
        all_positive_f1=_ratio(2 * support, support + len(labels)),
        auc=np.array([_auc(truth[:, i], scores[:, i]) for i in range(labels.shape[1])]),
        examples=len(labels),
    )


def _auc(truth: np.ndarray, scores: np.ndarray) -> float:
    """Exact area under the ROC curve: the Mann-Whitney statistic, ties counting half."""
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return float("nan")
    _, group, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    mean_ranks = np.cumsum(sizes) - (sizes - 1) / 2
    rank_sum = mean_ranks[group][truth].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Numerator / denominator, 0 where the denominator is 0; NaN stays NaN."""
    numerator, denominator = np.asarray(numerator, float), np.asarray(denominator, float)
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)
