"""The decision as nodes of a scheduled job: the first one, and the last one that closes it.

Everything between hangs on the first one's answer. It is never cached: it looks at what lies on the
store by now, and no input of it says what that is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.dsl.placeholder import placeholder
from tfx.types import standard_artifacts
from tfx.types.channel import ChannelWrappedPlaceholder
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.experimental import simple_artifacts

from components.retraining.executor import (
    RETRAIN,
    RetrainDecisionExecutor,
    RetrainOutcomeExecutor,
)
from components.retraining.question import Question


class RetrainDecisionSpec(ComponentSpec):
    """What the node takes and makes; parameters are text or whole numbers, as every runner has."""

    PARAMETERS = {  # noqa: RUF012 - TFX reads it like this
        "question": ExecutionParameter(type=str),
        "labels": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {}  # noqa: RUF012
    # Kubeflow can load a type of our own only from a top-level module; this one it knows.
    OUTPUTS = {"decision": ChannelParameter(type=simple_artifacts.File)}  # noqa: RUF012


class RetrainDecision(base_component.BaseComponent):
    """Decides whether there is anything to train for, and on which spans."""

    SPEC_CLASS = RetrainDecisionSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(RetrainDecisionExecutor)

    def __init__(self, question: Question, labels: Sequence[str], code: str) -> None:
        """Makes the node.

        Args:
          question: what is asked.
          labels: the vocabulary that the DAG was built for; other labels need another DAG.
          code: fingerprint of the node's code.
        """
        super().__init__(
            RetrainDecisionSpec(
                question=json.dumps(question.to_json(), sort_keys=True, ensure_ascii=False),
                labels=json.dumps(list(labels), ensure_ascii=False),
                code=code,
                decision=types.Channel(type=simple_artifacts.File),
            )
        )

    def says_run(self) -> placeholder.Predicate:
        """The condition that everything after it hangs on."""
        # `future()` names the placeholder already, and the first node that is compiled then looks
        # for the decision under that name, though it may take it under another.
        decision = ChannelWrappedPlaceholder(self.outputs["decision"])
        return decision[0].custom_property(RETRAIN) == 1


class RetrainOutcomeSpec(ComponentSpec):
    """What the node takes and makes."""

    PARAMETERS = {  # noqa: RUF012
        "decisions_folder": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "decision": ChannelParameter(type=simple_artifacts.File),
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "infra_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing),
        "pushed_model": ChannelParameter(type=standard_artifacts.PushedModel),
    }
    OUTPUTS = {"outcome": ChannelParameter(type=simple_artifacts.File)}  # noqa: RUF012


class RetrainOutcome(base_component.BaseComponent):
    """Adds to the decision what came of it: else the next one would try the same again."""

    SPEC_CLASS = RetrainOutcomeSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(RetrainOutcomeExecutor)

    def __init__(
        self,
        decision: types.BaseChannel,
        evaluation: types.BaseChannel,
        blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        pushed_model: types.BaseChannel,
        decisions_folder: str,
        code: str,
    ) -> None:
        """Makes the node.

        Args:
          decision: RetrainDecision's.
          evaluation: the verdict's reasons.
          blessing: whether the model is good enough.
          infra_blessing: whether it serves.
          pushed_model: where it went; the node waits for it, whatever was decided.
          decisions_folder: where decisions are kept.
          code: fingerprint of the node's code.
        """
        super().__init__(
            RetrainOutcomeSpec(
                decision=decision,
                evaluation=evaluation,
                blessing=blessing,
                infra_blessing=infra_blessing,
                pushed_model=pushed_model,
                decisions_folder=decisions_folder,
                code=code,
                outcome=types.Channel(type=simple_artifacts.File),
            )
        )
