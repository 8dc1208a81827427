"""The nodes that a scheduled job has besides: the decision at its start, the outcome at its end."""

from __future__ import annotations

from tfx.dsl.components.base.base_node import BaseNode

from components.retraining.component import RetrainDecision, RetrainOutcome
from pipeline import fingerprints, retraining
from pipeline.config import Config
from pipeline.windows import Window


def decision(config: Config, window: Window) -> RetrainDecision:
    """The node that everything else hangs on.

    Args:
      config: the checked configuration.
      window: gives the vocabulary that the DAG is built for.
    """
    return RetrainDecision(retraining.ask_about(config), window.labels, _code())


def outcome(
    config: Config,
    decided: RetrainDecision,
    evaluator: BaseNode,
    serving_check: BaseNode,
    pusher: BaseNode,
) -> RetrainOutcome:
    """The node that writes down what came of the decision, whether a model was pushed or not."""
    return RetrainOutcome(
        decision=decided.outputs["decision"],
        evaluation=evaluator.outputs["evaluation"],
        blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_check.outputs["blessing"],
        pushed_model=pusher.outputs["pushed_model"],
        decisions_folder=retraining.decisions_folder(config),
        code=_code(),
    )


def _code() -> str:
    return fingerprints.code("components.retraining")
