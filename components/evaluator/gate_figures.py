"""The figures that the blessing rules are about, with the limit of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from components.evaluator import comparison, permutation
from components.evaluator.figures import MACRO_F1_LIFT
from components.evaluator.plan import Plan
from components.evaluator.predictions import Predictions

FINITE_SHARE = "finite_share"
P_VALUE = "macro_auc_p_value"
MACRO_F1_DROP = "macro_f1_drop"
F1_DROP = "f1_drop"


class Limits(NamedTuple):
    """What a figure must lie between to let the model through."""

    low: float | None
    high: float | None


def limits(plan: Plan) -> dict[str, Limits]:
    """By the figure's key; every one of them is always measured, or TFMA would refuse."""
    settings = plan.settings
    return {
        FINITE_SHARE: Limits(1.0, None),
        MACRO_F1_LIFT: Limits(settings.min_macro_f1_lift, None),
        P_VALUE: Limits(None, settings.max_chance_p_value),
        MACRO_F1_DROP: Limits(None, settings.max_macro_f1_drop),
        **{key: Limits(None, settings.max_label_f1_drop) for key in drop_keys(plan.labels)},
    }


def drop_keys(labels: Sequence[str]) -> list[str]:
    """Keys of the labels' drops."""
    return [f"{F1_DROP}/{label}" for label in labels]


def keys(labels: Sequence[str]) -> list[str]:
    """The keys of `measure`, in their order."""
    return [FINITE_SHARE, P_VALUE, MACRO_F1_DROP, *drop_keys(labels)]


def measure(predictions: Predictions, plan: Plan) -> dict[str, float]:
    """Measures all but the lift, which is one of the ordinary figures.

    Without a baseline nothing drops; where a score is not a number neither drops nor p-value are.
    """
    finite = predictions.is_finite
    answers = np.stack([predictions.scores, predictions.probabilities])
    return {
        FINITE_SHARE: float(np.isfinite(answers).mean()),
        P_VALUE: permutation.p_values(predictions.truth, predictions.scores).macro_auc,
        **dict.fromkeys([MACRO_F1_DROP, *drop_keys(plan.labels)], 0.0 if finite else float("nan")),
        **(_drops(predictions, plan) if finite else {}),
    }


def compare(predictions: Predictions, plan: Plan) -> comparison.Comparison | None:
    """The comparison over the labels that both models know; None without a baseline."""
    common = predictions.common_labels
    if predictions.baseline_labels is None or predictions.baseline_scores is None or not common:
        return None
    own = [predictions.labels.index(label) for label in common]
    before = [predictions.baseline_labels.index(label) for label in common]
    return comparison.compare(
        predictions.truth[:, own],
        predictions.scores[:, own],
        predictions.baseline_scores[:, before],
        plan.settings.min_label_support,
    )


def _drops(predictions: Predictions, plan: Plan) -> dict[str, float]:
    found = compare(predictions, plan)
    if found is None:
        return {}
    drops = zip(drop_keys(predictions.common_labels), found.drops, strict=True)
    return {MACRO_F1_DROP: found.macro_drop, **{key: float(drop) for key, drop in drops}}
