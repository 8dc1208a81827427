"""What the Evaluator found and decided, as data and as sentences."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import validation_result_pb2
from tfx.dsl.io import fileio

from components.evaluator import metrics

#: Names that TFX gives the two models when there is a baseline.
_BASELINE = "baseline"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Figures of one evaluation, and the decision.

    Attributes:
      figures: by key (see `metrics.keys`), of the new model on the test split.
      baseline: the same of the last blessed model, or None if there was none to compare with.
      blessed: whether the model may be pushed.
      reasons: sentences: what was met if blessed, what was not if refused.
    """

    figures: dict[str, float]
    baseline: dict[str, float] | None
    blessed: bool
    reasons: tuple[str, ...]

    def by_label(self, labels: Sequence[str]) -> dict[str, dict[str, float]]:
        """Every figure of every label, by label and then by figure."""
        return {
            label: {figure: self.figures[f"{figure}/{label}"] for figure in metrics.BY_LABEL}
            for label in labels
        }


def read(evaluation: str, blessing: str) -> Verdict:
    """Reads what the Evaluator wrote.

    Args:
      evaluation: its `evaluation` artifact's folder.
      blessing: its `blessing` artifact's folder.
    """
    figures: dict[str, float] = {}
    baseline: dict[str, float] = {}
    for slice_metrics in tfma.load_metrics(evaluation):
        for pair in slice_metrics.metric_keys_and_values:
            if not pair.key.is_diff:
                target = baseline if pair.key.model_name == _BASELINE else figures
                target[pair.key.name] = pair.value.double_value.value
    blessed = fileio.exists(f"{blessing}/BLESSED")
    validation = tfma.load_validation_result(evaluation)
    reasons = (
        _met(figures, baseline)
        if blessed
        else [_failure(failure, figures, baseline) for failure in _failures(validation)]
    )
    return Verdict(figures, baseline or None, blessed, tuple(reasons))


def _failures(
    validation: validation_result_pb2.ValidationResult,
) -> list[validation_result_pb2.ValidationFailure]:
    return [
        failure
        for slice_failures in validation.metric_validations_per_slice
        for failure in slice_failures.failures
    ]


def _met(figures: dict[str, float], baseline: dict[str, float]) -> list[str]:
    reasons = [
        f"macro-F1 {figures[metrics.MACRO_F1]:.3f} is {figures[metrics.MACRO_F1_LIFT]:.2f} times "
        f"what answering yes to everything gives ({figures[metrics.ALL_POSITIVE_MACRO_F1]:.3f})"
    ]
    if baseline:
        reasons.append(
            f"it does not fall behind the last blessed model ({baseline[metrics.MACRO_F1]:.3f} on "
            "the same examples)"
        )
    else:
        reasons.append("there is no earlier blessed model to compare with")
    return reasons


def _failure(
    failure: validation_result_pb2.ValidationFailure,
    figures: dict[str, float],
    baseline: dict[str, float],
) -> str:
    if failure.message:
        return f"{failure.metric_key.name}: {failure.message}"
    threshold = failure.metric_threshold
    macro_f1 = figures.get(metrics.MACRO_F1, math.nan)
    if math.isnan(macro_f1):
        return "the model's scores are not numbers (NaN), so nothing can be measured"
    if failure.metric_key.name == metrics.MACRO_F1_LIFT:
        return (
            f"macro-F1 {macro_f1:.3f} is only {figures[metrics.MACRO_F1_LIFT]:.2f} times what "
            "answering yes to everything gives "
            f"({figures[metrics.ALL_POSITIVE_MACRO_F1]:.3f}); the floor is "
            f"{threshold.value_threshold.lower_bound.value:.2f} times (evaluator.min_macro_f1_lift)"
        )
    before = baseline[metrics.MACRO_F1]
    return (
        f"macro-F1 {macro_f1:.3f} is {before - macro_f1:.3f} below the last blessed model's "
        f"{before:.3f} on the same examples; at most "
        f"{-threshold.change_threshold.absolute.value:.3f} is allowed (evaluator.max_macro_f1_drop)"
    )
