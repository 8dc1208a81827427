"""One TFMA metric that gives every figure by label, under the label's name.

TFMA's own binary metrics, one a label, spend most of the Evaluator's time and come out under class
ids; its AUC is a histogram. This one keeps the scores (4 bytes a label and example) and is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_types, metric_util
from tensorflow_model_analysis.proto import config_pb2

from components.evaluator.counts import LabelCounts, count

MACRO_F1 = "macro_f1"
MICRO_F1 = "micro_f1"
MACRO_AUC = "macro_auc"
ALL_POSITIVE_MACRO_F1 = "all_positive_macro_f1"
#: Macro-F1 over the all-positive macro-F1: 1 is what a model that learned nothing reaches.
MACRO_F1_LIFT = "macro_f1_lift"
EXAMPLES = "examples"
#: Figures of one label; their keys are `<figure>/<label>`.
BY_LABEL = ("f1", "precision", "recall", "auc", "support", "predicted", "all_positive_f1")

_Accumulator = tuple[list[np.ndarray], list[np.ndarray]]


class MultiLabelMetrics(tfma.metrics.Metric):
    """F1, precision, recall, AUC, support and more by label, and their macro and micro averages."""

    def __init__(self, labels: Sequence[str], code: str = "", name: str = "multi_label") -> None:
        """Creates the metric.

        Args:
          labels: names in the order of the scores.
          code: fingerprint of this code; it makes TFX evaluate again when the code changes.
          name: a name that TFMA wants; no figure is found under it.
        """
        super().__init__(_computations, name=name, labels=list(labels), code=code)


def values(labels: Sequence[str], counts: LabelCounts) -> dict[str, float]:
    """Every figure by its key."""
    macro_f1 = float(np.mean(counts.f1))
    all_positive = float(np.mean(counts.all_positive_f1))
    overall = {
        MACRO_F1: macro_f1,
        MICRO_F1: counts.micro_f1,
        MACRO_AUC: counts.macro_auc,
        ALL_POSITIVE_MACRO_F1: all_positive,
        MACRO_F1_LIFT: macro_f1 / all_positive if all_positive else float("nan"),
        EXAMPLES: float(counts.examples),
    }
    for figure in BY_LABEL:
        for label, value in zip(labels, getattr(counts, figure), strict=True):
            overall[f"{figure}/{label}"] = float(value)
    return overall


def keys(labels: Sequence[str]) -> list[str]:
    """The keys of `values`, in their order."""
    overall = [MACRO_F1, MICRO_F1, MACRO_AUC, ALL_POSITIVE_MACRO_F1, MACRO_F1_LIFT, EXAMPLES]
    return overall + [f"{figure}/{label}" for figure in BY_LABEL for label in labels]


def _computations(
    labels: Sequence[str],
    code: str,
    name: str,
    eval_config: config_pb2.EvalConfig | None = None,
    model_names: Iterable[str] = ("",),
    output_names: Iterable[str] = ("",),
) -> metric_types.MetricComputations:
    del code, name, output_names
    computations = []
    for model_name in model_names:
        # Weighted "None" is what a threshold in a MetricsSpec looks for; the default is False.
        metric_keys = [
            metric_types.MetricKey(name=key, model_name=model_name, example_weighted=None)
            for key in keys(labels)
        ]
        combiner = _Combiner(labels, eval_config, model_name, metric_keys)
        computations.append(metric_types.MetricComputation(metric_keys, None, combiner))
    return computations


class _Combiner(beam.CombineFn):
    """Gathers labels and scores of one model, and turns them into figures at the end."""

    def __init__(
        self,
        labels: Sequence[str],
        eval_config: config_pb2.EvalConfig | None,
        model_name: str,
        metric_keys: Sequence[metric_types.MetricKey],
    ) -> None:
        self._labels = labels
        self._eval_config = eval_config
        self._model_name = model_name
        self._metric_keys = metric_keys

    def create_accumulator(self) -> _Accumulator:
        return [], []

    def add_input(
        self, accumulator: _Accumulator, element: metric_types.StandardMetricInputs
    ) -> _Accumulator:
        label, score, _ = next(
            metric_util.to_label_prediction_example_weight(
                element,
                eval_config=self._eval_config,
                model_name=self._model_name,
                flatten=False,
                squeeze=False,
            )
        )
        accumulator[0].append(label.reshape(-1, len(self._labels)) > 0)
        accumulator[1].append(score.reshape(-1, len(self._labels)).astype(np.float32))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Accumulator]) -> _Accumulator:
        merged: _Accumulator = ([], [])
        for truth, scores in accumulators:
            merged[0].extend(truth)
            merged[1].extend(scores)
        return self.compact(merged)

    def compact(self, accumulator: _Accumulator) -> _Accumulator:
        truth, scores = accumulator
        if len(truth) < 2:
            return accumulator
        return [np.concatenate(truth)], [np.concatenate(scores)]

    def extract_output(self, accumulator: _Accumulator) -> dict[metric_types.MetricKey, float]:
        truth, scores = self.compact(accumulator)
        if not truth:
            return {key: float("nan") for key in self._metric_keys}
        figures = values(self._labels, count(truth[0], scores[0]))
        return {key: figures[key.name] for key in self._metric_keys}
