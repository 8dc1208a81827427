"""Every figure of an evaluation, by its key."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from components.evaluator import ranking, reliability
from components.evaluator.counts import count, ratio

MACRO_F1 = "macro_f1"
MACRO_AUC = "macro_auc"
ALL_POSITIVE_MACRO_F1 = "all_positive_macro_f1"
#: Macro-F1 over the all-positive macro-F1: 1 is what a model that learned nothing reaches.
MACRO_F1_LIFT = "macro_f1_lift"
EXAMPLES = "examples"
OVERALL = (
    MACRO_F1, "macro_precision", "macro_recall", "micro_f1", "micro_precision", "micro_recall",
    MACRO_AUC, "macro_average_precision", "macro_best_f1", ALL_POSITIVE_MACRO_F1, MACRO_F1_LIFT,
    "expected_calibration_error", EXAMPLES,
)  # fmt: skip
#: Figures of one label; their keys are `<figure>/<label>`.
BY_LABEL = (
    "f1", "precision", "recall", "auc", "average_precision", "best_f1", "support", "predicted",
    "predicted_rate", "all_positive_f1", "expected_calibration_error",
)  # fmt: skip


def keys(labels: Sequence[str]) -> list[str]:
    """The keys of `measure`, in their order."""
    return [*OVERALL, *(f"{figure}/{label}" for figure in BY_LABEL for label in labels)]


def measure(
    labels: Sequence[str], truth: np.ndarray, scores: np.ndarray, probabilities: np.ndarray
) -> dict[str, float]:
    """Measures a model on some examples.

    Args:
      labels: L names.
      truth: (N, L) bool, N at least 1.
      scores: (N, L) in [0, 1]; above 0.5 the label is given.
      probabilities: (N, L) in [0, 1], calibrated.

    Returns:
      The figures by key. Macro figures are plain means over the labels; those of rankings over the
      labels that have one. If any score or probability is not a number everything but counts of
      truth is NaN: a model that gives NaN must not look merely weak.
    """
    examples = len(truth)
    support = truth.sum(axis=0).astype(float)
    known = {"support": support, "all_positive_f1": ratio(2 * support, support + examples)}
    if np.isfinite(scores).all() and np.isfinite(probabilities).all():
        by_label = {**known, **_by_label(truth, scores, probabilities)}
        overall = _overall(truth, scores, by_label)
    else:
        by_label = {**dict.fromkeys(BY_LABEL, np.full(len(labels), np.nan)), **known}
        overall = dict.fromkeys(OVERALL, float("nan"))
    overall[ALL_POSITIVE_MACRO_F1] = float(np.mean(known["all_positive_f1"]))
    overall[EXAMPLES] = float(examples)
    values = [overall[figure] for figure in OVERALL]
    values += [float(value) for figure in BY_LABEL for value in by_label[figure]]
    return dict(zip(keys(labels), values, strict=True))


def _by_label(
    truth: np.ndarray, scores: np.ndarray, probabilities: np.ndarray
) -> dict[str, np.ndarray]:
    counts = count(truth, scores)
    columns = list(zip(truth.T, scores.T, strict=True))
    return {
        "f1": counts.f1,
        "precision": counts.precision,
        "recall": counts.recall,
        "predicted": counts.predicted,
        "predicted_rate": counts.predicted / len(truth),
        "auc": np.array([ranking.auc(*column) for column in columns]),
        "average_precision": np.array([ranking.average_precision(*column) for column in columns]),
        "best_f1": np.array([ranking.best_f1(*column) for column in columns]),
        "expected_calibration_error": np.array(
            [
                reliability.measure(*column).expected_calibration_error
                for column in zip(truth.T, probabilities.T, strict=True)
            ]
        ),
    }


def _overall(
    truth: np.ndarray, scores: np.ndarray, by_label: dict[str, np.ndarray]
) -> dict[str, float]:
    pooled = count(truth, scores).pooled
    macro_f1, everything = np.mean(by_label["f1"]), np.mean(by_label["all_positive_f1"])
    return {
        MACRO_F1: float(macro_f1),
        "macro_precision": float(np.mean(by_label["precision"])),
        "macro_recall": float(np.mean(by_label["recall"])),
        "micro_f1": float(pooled.f1),
        "micro_precision": float(pooled.precision),
        "micro_recall": float(pooled.recall),
        MACRO_AUC: mean_of_known(by_label["auc"]),
        "macro_average_precision": mean_of_known(by_label["average_precision"]),
        "macro_best_f1": mean_of_known(by_label["best_f1"]),
        MACRO_F1_LIFT: float(macro_f1 / everything) if everything else float("nan"),
        "expected_calibration_error": float(np.mean(by_label["expected_calibration_error"])),
    }


def mean_of_known(values: np.ndarray) -> float:
    """Mean of those that are numbers; NaN if none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
