"""What is to be evaluated and how, as TFMA's configuration carries it to every worker."""

from __future__ import annotations

import dataclasses
import json

from tensorflow_model_analysis.proto import config_pb2

from components.evaluator.settings import EvaluatorSettings
from components.features import Features


@dataclasses.dataclass(frozen=True)
class Plan:
    """One evaluation.

    Attributes:
      labels: the vocabulary, in order.
      features: the examples' feature names.
      settings: the blessing rules and the slices.
      code: fingerprint of the evaluator's code; it makes TFX evaluate again when that changes.
      baseline_labels: those of the model to compare with, or None if there is none.
      baseline_answers: the file with what that model said of the same examples before, or None if
        it has to be asked; see `known_answers`.
      evaluation: the folder that the predictions go to, or None if nobody wants them.
      answers_folder: where answers are kept for later runs, or None if they are not.
      embeddings_folder: below which embeddings are kept and reused, or None if every image is to be
        passed through the whole model.
    """

    labels: tuple[str, ...]
    features: Features
    settings: EvaluatorSettings
    code: str
    baseline_labels: tuple[str, ...] | None = None
    baseline_answers: str | None = None
    evaluation: str | None = None
    answers_folder: str | None = None
    embeddings_folder: str | None = None

    @property
    def asks_baseline(self) -> bool:
        """Whether the other model runs too."""
        return self.baseline_labels is not None and self.baseline_answers is None

    @property
    def common_labels(self) -> tuple[str, ...]:
        """The labels that both models know, in this model's order."""
        known = set(self.baseline_labels or ())
        return tuple(label for label in self.labels if label in known)

    def to_json(self) -> str:
        """As it stands in the configuration of the metric."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """The plan that `to_json` wrote."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, values: dict) -> Plan:
        """The plan that `to_json` wrote, once parsed."""
        baseline = values["baseline_labels"]
        return cls(
            labels=tuple(values["labels"]),
            features=Features(**values["features"]),
            settings=EvaluatorSettings(**values["settings"]),
            code=values["code"],
            baseline_labels=None if baseline is None else tuple(baseline),
            baseline_answers=values["baseline_answers"],
            evaluation=values["evaluation"],
            answers_folder=values["answers_folder"],
            embeddings_folder=values["embeddings_folder"],
        )


def of(eval_config: config_pb2.EvalConfig) -> Plan:
    """The plan in a configuration that `eval_config.eval_config` made."""
    return Plan.from_json(eval_config.metrics_specs[0].metrics[0].config)
