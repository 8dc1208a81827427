"""DataGate as a node: between ExampleValidator, which only writes down, and whatever trains."""

from __future__ import annotations

import dataclasses
import json

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.experimental import simple_artifacts

from components.features import Features
from components.gate.executor import DataGateExecutor
from components.gate.settings import GateSettings


class DataGateSpec(ComponentSpec):
    """What the node takes and makes; parameters are text or whole numbers, as every runner has."""

    PARAMETERS = {  # noqa: RUF012 - TFX reads it like this
        "settings": ExecutionParameter(type=str),
        "features": ExecutionParameter(type=str),
        "accepted_folder": ExecutionParameter(type=str),
        "code": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
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
        accepted_folder: str,
        code: str,
    ) -> None:
        """Makes the node.

        Args:
          examples: those of the spans that no gate has let through yet, with the record of the
            window that they are of; they themselves are read only to name those at fault.
          statistics: of every split of them.
          schema: with the comparators for drift and skew.
          anomalies: what ExampleValidator found.
          settings: the limits.
          features: the features' names.
          accepted_folder: where accepted spans are recorded, see `accepted`; what to compare with
            is looked for there.
          code: fingerprint of the gate's code.
        """
        super().__init__(
            DataGateSpec(
                examples=examples,
                statistics=statistics,
                schema=schema,
                anomalies=anomalies,
                settings=json.dumps(dataclasses.asdict(settings), sort_keys=True),
                features=json.dumps(dataclasses.asdict(features), sort_keys=True),
                accepted_folder=accepted_folder,
                code=code,
                report=types.Channel(type=simple_artifacts.File),
            )
        )
