"""One TFMA metric that gives every figure by label, under the label's name.

TFMA's own binary metrics, one a label, spend most of the Evaluator's time and come out under class
ids; its AUC is a histogram. This one keeps the scores (4 bytes a label, model and example) and is
exact. It sees both models' answers to an example, so that their difference is paired.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.proto import config_pb2

from components.evaluator import answers, figures, gate_figures
from components.evaluator.answers import Answers
from components.evaluator.plan import Plan


class MultiLabelMetrics(tfma.metrics.Metric):
    """All figures of `figures.measure` and `gate_figures.measure`, of the new model."""

    def __init__(self, name: str = "multi_label", **plan: Any) -> None:
        """Creates the metric.

        Args:
          name: a name that TFMA wants; no figure is found under it.
          **plan: the fields of `Plan`, as JSON values.
        """
        super().__init__(_computations, name=name, **plan)


def _computations(
    name: str, model_names: Iterable[str] = ("",), **values: Any
) -> metric_types.MetricComputations:
    del name
    plan = Plan.from_dict(values)
    (model_name,) = model_names
    # Weighted "None" is what a threshold in a MetricsSpec looks for; the default is False.
    keys = {
        key: metric_types.MetricKey(name=key, model_name=model_name, example_weighted=None)
        for key in [*figures.keys(plan.labels), *gate_figures.keys(plan.labels)]
    }
    inputs = metric_types.FeaturePreprocessor(feature_keys=[answers.ID])
    return [metric_types.MetricComputation(list(keys.values()), [inputs], _Combiner(plan, keys))]


def of_config(
    config: config_pb2.EvalConfig,
) -> Callable[[Answers], dict[metric_types.MetricKey, float]]:
    """What the metric of a configuration makes of a slice's rows."""
    spec = config.metrics_specs[0]
    values = json.loads(spec.metrics[0].config)
    [computation] = _computations("", list(spec.model_names) or [""], **values)
    return computation.combiner.measure


class _Combiner(beam.CombineFn):
    """Gathers what the models answered, and turns it into figures at the end."""

    def __init__(self, plan: Plan, keys: dict[str, metric_types.MetricKey]) -> None:
        self._plan = plan
        self._keys = keys

    def create_accumulator(self) -> list[Answers]:
        return []

    def add_input(
        self, accumulator: list[Answers], element: metric_types.StandardMetricInputs
    ) -> list[Answers]:
        accumulator.append(answers.of_extract(element, self._plan))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[Answers]]) -> list[Answers]:
        return self.compact([part for accumulator in accumulators for part in accumulator])

    def compact(self, accumulator: list[Answers]) -> list[Answers]:
        return [answers.stack(accumulator)] if len(accumulator) > 1 else accumulator

    def extract_output(self, accumulator: list[Answers]) -> dict[metric_types.MetricKey, float]:
        if not accumulator:
            return dict.fromkeys(self._keys.values(), float("nan"))
        return self.measure(answers.stack(accumulator))

    def measure(self, rows: Answers) -> dict[metric_types.MetricKey, float]:
        """The figures of a slice, of which there is at least one row."""
        found = answers.to_predictions(rows, self._plan)
        measured = {
            **figures.measure(found.labels, found.truth, found.scores, found.probabilities),
            **gate_figures.measure(found, self._plan),
        }
        return {key: measured[name] for name, key in self._keys.items()}
