"""DataGate as a node: between ExampleValidator, which only writes down, and whatever trains."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.experimental import simple_artifacts

from components.features import Features
from components.gate.accepted import Accepted
from components.gate.executor import DataGateExecutor
from components.gate.settings import GateSettings


class DataGateSpec(ComponentSpec):
    """What the node takes and makes; parameters are text or whole numbers, as every runner has."""

    PARAMETERS = {  # noqa: RUF012 - TFX reads it like this
        "settings": ExecutionParameter(type=str),
        "features": ExecutionParameter(type=str),
        "labels": ExecutionParameter(type=str),
        "span": ExecutionParameter(type=int),
        "accepted_folder": ExecutionParameter(type=str),
        "previous": ExecutionParameter(type=str),
        "find_previous": ExecutionParameter(type=int),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
        "previous_statistics": ChannelParameter(
            type=standard_artifacts.ExampleStatistics, optional=True
        ),
    }
    # Kubeflow can load a type of our own only from a top-level module; this one it knows.
    OUTPUTS = {"report": ChannelParameter(type=simple_artifacts.File)}  # noqa: RUF012


class DataGate(base_component.BaseComponent):
    """Stops the run on data that is not fit to train on.

    A node that must not see such data is made to wait: `node.add_upstream_node(gate)`.
    """

    SPEC_CLASS = DataGateSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(DataGateExecutor)

    def __init__(
        self,
        examples: types.BaseChannel,
        statistics: types.BaseChannel,
        schema: types.BaseChannel,
        anomalies: types.BaseChannel,
        settings: GateSettings,
        features: Features,
        labels: Sequence[str],
        span: int,
        accepted_folder: str,
        code: str,
        previous: Accepted | None = None,
        previous_statistics: types.BaseChannel | None = None,
        find_previous: bool = False,
    ) -> None:
        """Makes the node.

        Args:
          examples: what the statistics were made of; read only to name the examples at fault.
          statistics: of every split.
          schema: with the comparators for drift and skew.
          anomalies: what ExampleValidator found.
          settings: the limits.
          features: the features' names.
          labels: the vocabulary.
          span: the span's number.
          accepted_folder: where accepted spans are recorded, see `accepted`.
          code: fingerprint of the gate's code.
          previous: the span to compare with, if there is one.
          previous_statistics: its statistics.
          find_previous: whether the node itself looks for them, as it has to where the folder
            cannot be read when the DAG is built.
        """
        super().__init__(
            DataGateSpec(
                examples=examples,
                statistics=statistics,
                schema=schema,
                anomalies=anomalies,
                previous_statistics=previous_statistics,
                settings=json.dumps(dataclasses.asdict(settings), sort_keys=True),
                features=json.dumps(dataclasses.asdict(features), sort_keys=True),
                labels=json.dumps(list(labels), ensure_ascii=False),
                span=span,
                accepted_folder=accepted_folder,
                previous=previous.to_json() if previous else "",
                find_previous=int(find_previous),
                code=code,
                report=types.Channel(type=simple_artifacts.File),
            )
        )
