"""From what TFMA measured and refused, and what the models answered, to one verdict."""

from __future__ import annotations

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2, metrics_for_slice_pb2

from components.errors import PostersError
from components.evaluator import (
    bootstrap,
    figures,
    gate_figures,
    permutation,
    plan,
    predictions,
    reliability,
    rules,
    slices,
)
from components.evaluator.comparison import Comparison
from components.evaluator.counts import DECISION_POINT
from components.evaluator.plan import Plan
from components.evaluator.predictions import Predictions
from components.evaluator.verdict import Bin, Confusion, Figures, Slice, Verdict


def conclude(eval_config: config_pb2.EvalConfig, evaluation: str, unusable: str | None) -> Verdict:
    """Draws the conclusion from an `evaluation` folder that TFMA has filled.

    Args:
      eval_config: what TFMA was given.
      evaluation: the folder, with `predictions.npz` in it.
      unusable: why the last blessed model was not compared with, if there is one.

    Raises:
      PostersError: there was no example to evaluate.
    """
    given = plan.of(eval_config)
    by_slice = {_slice_of(found): _figures_of(found) for found in tfma.load_metrics(evaluation)}
    if () not in by_slice:
        raise PostersError(
            "the test split holds no example, so nothing can be evaluated: ingest more data, or "
            "raise the split's share (ingest.split_shares)."
        )
    validation = tfma.load_validation_result(evaluation)
    failed = {
        failure.metric_key.name
        for found in validation.metric_validations_per_slice
        for failure in found.failures
    }
    answers = predictions.read(evaluation)
    measured = by_slice.pop(())
    comparison = gate_figures.compare(answers, given) if answers.is_finite else None
    if given.baseline_labels is not None and answers.baseline_labels is None:
        unusable = "the last blessed model gives scores that are not numbers"
    p_values = permutation.p_values(answers.truth, answers.scores)
    chance = rules.chance_of(given, measured, p_values)
    return Verdict(
        blessed=validation.validation_ok,
        rules=rules.judge(given, measured, failed, chance, comparison, unusable),
        labels=given.labels,
        common_labels=answers.common_labels,
        figures=_ordinary(measured, given),
        intervals=_intervals(answers, comparison),
        baseline=_baseline_figures(answers),
        confusion=_confusion(answers),
        calibration=_calibration(answers),
        slices=_slices(by_slice, given),
        chance=chance,
    )


def _slice_of(found: metrics_for_slice_pb2.MetricsForSlice) -> tuple[tuple[str, str], ...]:
    """Feature and value of a slice; nothing for the whole split."""
    return tuple(
        (key.column, _text(getattr(key, key.WhichOneof("kind"))))
        for key in found.slice_key.single_slice_keys
    )


def _text(value: bytes | int | float) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _figures_of(found: metrics_for_slice_pb2.MetricsForSlice) -> Figures:
    return {pair.key.name: pair.value.double_value.value for pair in found.metric_keys_and_values}


def _ordinary(measured: Figures, given: Plan) -> Figures:
    """Without the gate's own, in their order."""
    return {key: measured[key] for key in figures.keys(given.labels)}


def _intervals(
    answers: Predictions, comparison: Comparison | None
) -> dict[str, tuple[float, float]]:
    if not answers.is_finite:
        return {}
    (resampled,) = bootstrap.f1_resamples(answers.truth, [answers.scores > DECISION_POINT])
    found = {figures.MACRO_F1: bootstrap.interval(resampled.mean(axis=1))}
    for label, ends in zip(answers.labels, bootstrap.interval(resampled).T, strict=True):
        found[f"f1/{label}"] = ends
    if comparison is not None:
        found["macro_f1_difference"] = comparison.macro_interval
        for label, ends in zip(answers.common_labels, comparison.intervals.T, strict=True):
            found[f"f1_difference/{label}"] = ends
    return {key: (float(low), float(high)) for key, (low, high) in found.items()}


def _baseline_figures(answers: Predictions) -> Figures | None:
    """Of its scores: its probabilities are not asked for."""
    common = answers.common_labels
    if not common:
        return None
    own = [answers.labels.index(label) for label in common]
    before = [answers.baseline_labels.index(label) for label in common]
    scores = answers.baseline_scores[:, before]
    measured = figures.measure(common, answers.truth[:, own], scores, scores)
    return {key: value for key, value in measured.items() if "calibration" not in key}


def _confusion(answers: Predictions) -> Confusion:
    truth = answers.truth.astype(int)
    given = (answers.scores > DECISION_POINT).astype(int)
    return Confusion(
        labels=answers.labels,
        co_occurrence_truth=(truth.T @ truth).tolist(),
        co_occurrence_predicted=(given.T @ given).tolist(),
        confusion=(truth.T @ given).tolist(),
    )


def _calibration(answers: Predictions) -> dict[str, tuple[Bin, ...]]:
    if not answers.is_finite:
        return {}
    found = {}
    for label, truth, said in zip(
        answers.labels, answers.truth.T, answers.probabilities.T, strict=True
    ):
        bins = reliability.measure(truth, said)
        columns = (bins.mean_probability, bins.share_positive, bins.count)
        found[label] = tuple(map(Bin, *(column.tolist() for column in columns)))
    return found


def _slices(by_slice: dict[tuple, Figures], given: Plan) -> tuple[Slice, ...]:
    """In the order of the settings, and by value."""
    found = [
        Slice(feature, value, int(measured[figures.EXAMPLES]), _ordinary(measured, given))
        for ((feature, value),), measured in by_slice.items()
    ]
    places = {name: place for place, name in enumerate(given.settings.slices)}
    return tuple(
        sorted(found, key=lambda part: (places[part.feature], slices.in_order(part.value)))
    )
