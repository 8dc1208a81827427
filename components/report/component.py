"""RunReport as a node: the last one, after the Pusher, whether that pushed or not."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.experimental import simple_artifacts

from components.features import Features
from components.report.executor import RunReportExecutor


class RunReportSpec(ComponentSpec):
    """What the node takes and makes; parameters are text or whole numbers, as every runner has."""

    PARAMETERS = {  # noqa: RUF012 - TFX reads it like this
        "settings": ExecutionParameter(type=str),
        "features": ExecutionParameter(type=str),
        "labels": ExecutionParameter(type=str),
        "fingerprints": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "gate_report": ChannelParameter(type=simple_artifacts.File),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "infra_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing),
        "pushed_model": ChannelParameter(type=standard_artifacts.PushedModel),
    }
    # Kubeflow can load a type of our own only from a top-level module; this one it knows.
    OUTPUTS = {"report": ChannelParameter(type=simple_artifacts.File)}  # noqa: RUF012


class RunReport(base_component.BaseComponent):
    """Writes the run as a page for people, as the data it shows, and as a model card."""

    SPEC_CLASS = RunReportSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(RunReportExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        statistics: types.BaseChannel,
        gate_report: types.BaseChannel,
        model: types.BaseChannel,
        evaluation: types.BaseChannel,
        blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        pushed_model: types.BaseChannel,
        settings: Mapping[str, Any],
        features: Features,
        labels: Sequence[str],
        fingerprints: Mapping[str, str],
    ) -> None:
        """Makes the node.

        Args:
          examples: of every split, with the record of the window; pictures are taken from test.
          statistics: of every split of the new spans.
          gate_report: what DataGate decided.
          model: the exported model, with its description.
          evaluation: figures, answers and verdict.
          blessing: whether it may be pushed.
          infra_blessing: whether it serves, and why not.
          pushed_model: where it went; the node waits for it, whatever was decided.
          settings: the whole configuration, JSON values.
          features: the features' names.
          labels: the vocabulary.
          fingerprints: of the code, by package.
        """
        super().__init__(
            RunReportSpec(
                examples=examples,
                statistics=statistics,
                gate_report=gate_report,
                model=model,
                evaluation=evaluation,
                blessing=blessing,
                infra_blessing=infra_blessing,
                pushed_model=pushed_model,
                settings=json.dumps(settings, sort_keys=True, ensure_ascii=False),
                features=json.dumps(dataclasses.asdict(features), sort_keys=True),
                labels=json.dumps(list(labels), ensure_ascii=False),
                fingerprints=json.dumps(fingerprints, sort_keys=True),
                report=types.Channel(type=simple_artifacts.File),
            )
        )
