"""ServingCheck as a node: between Evaluator and Pusher, on every runner.

TFX's InfraValidator wants docker, and does not compile for Kubeflow Pipelines.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.features import Features
from components.serving_check.executor import ServingCheckExecutor
from components.serving_check.settings import ServingCheckSettings


class ServingCheckSpec(ComponentSpec):
    """What the node takes and makes; parameters are text or whole numbers, as every runner has."""

    PARAMETERS = {  # noqa: RUF012 - TFX reads it like this
        "settings": ExecutionParameter(type=str),
        "features": ExecutionParameter(type=str),
        "labels": ExecutionParameter(type=str),
        "split": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
    }
    OUTPUTS = {  # noqa: RUF012
        "blessing": ChannelParameter(type=standard_artifacts.InfraBlessing)
    }


class ServingCheck(base_component.BaseComponent):
    """Asks the model as a server would, and blesses it for the Pusher, or not."""

    SPEC_CLASS = ServingCheckSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(ServingCheckExecutor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        evaluation: types.BaseChannel,
        settings: ServingCheckSettings,
        features: Features,
        labels: Sequence[str],
        split: str,
        code: str,
    ) -> None:
        """Makes the node.

        Args:
          model: what is to be pushed.
          examples: those that the Evaluator asked about.
          evaluation: what the Evaluator got.
          settings: the budgets.
          features: the features' names.
          labels: the vocabulary.
          split: which of the examples.
          code: fingerprint of the check's code.
        """
        super().__init__(
            ServingCheckSpec(
                model=model,
                examples=examples,
                evaluation=evaluation,
                settings=json.dumps(dataclasses.asdict(settings), sort_keys=True),
                features=json.dumps(dataclasses.asdict(features), sort_keys=True),
                labels=json.dumps(list(labels), ensure_ascii=False),
                split=split,
                code=code,
                blessing=types.Channel(type=standard_artifacts.InfraBlessing),
            )
        )
