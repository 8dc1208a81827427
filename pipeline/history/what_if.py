"""What the next run would run again, and why: asked of the cache, without running anything.

The DAG is built and compiled as for a run. Then each node's key of the cache is computed as TFX's
launcher computes it, and looked up in ML Metadata. A node downstream of one that would run gets
other artifacts than ever before, so it would run too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import ml_metadata as mlmd
from tfx import types
from tfx.dsl.compiler import compiler, constants
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.importer import Importer
from tfx.dsl.components.common.resolver import (
    RESOLVER_CONFIG,
    RESOLVER_STRATEGY_CLASS,
    Resolver,
)
from tfx.orchestration import data_types_utils
from tfx.orchestration.local import runner_utils
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import (
    cache_utils,
    inputs_utils,
    outputs_utils,
    runtime_parameter_utils,
)
from tfx.proto.orchestration import pipeline_pb2
from tfx.types import artifact_utils, channel

from pipeline.history import differences
from pipeline.history.executions import Executions

State = Literal["cached", "run"]
_ANY_RUN = "what-if"


@dataclasses.dataclass(frozen=True)
class Answer:
    """What would become of one node.

    Attributes:
      node: its name in the DAG.
      state: whether the cache has it.
      reasons: why it would run again; empty if it would not.
      seconds: how long it took when it last ran; None if it never did.
    """

    node: str
    state: State
    reasons: Sequence[str]
    seconds: float | None


class _NotCachedError(Exception):
    """The cache has no such key."""


class _OnlyLooking:
    """As much of TFX's handle to ML Metadata as looking up a key takes; it writes nothing."""

    def __init__(self, store: mlmd.MetadataStore) -> None:
        self._store = store

    @property
    def store(self) -> _OnlyLooking:
        return self

    def get_context_by_type_and_name(self, type_name: str, context_name: str) -> Any:
        found = self._store.get_context_by_type_and_name(type_name, context_name)
        if found is None:
            raise _NotCachedError
        return found


#: By key of an output its artifacts; None of a node that would run.
_Outputs = Mapping[str, Sequence[types.Artifact]]


class WhatIf:
    """Asks about one DAG, node after node."""

    def __init__(self, pipeline: Pipeline, store: mlmd.MetadataStore, history: Executions) -> None:
        """Compiles the DAG.

        Args:
          pipeline: with the change in it.
          store: ML Metadata.
          history: of the same pipeline.
        """
        self._store, self._history = store, history
        self._components: dict[str, BaseNode] = {node.id: node for node in pipeline.components}
        self._compiled = compiler.Compiler().compile(pipeline)
        runtime_parameter_utils.substitute_runtime_parameter(
            self._compiled, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: _ANY_RUN}
        )
        self._deployment = runner_utils.extract_local_deployment_config(self._compiled)
        self._outputs: dict[str, _Outputs | None] = {}

    def answers(self, changed: Collection[str] = ()) -> list[Answer]:
        """One answer a node, in the order of the DAG.

        Args:
          changed: nodes that are taken to make something new, whatever the cache says.
        """
        found = []
        for compiled in self._compiled.nodes:
            node = compiled.pipeline_node
            name = node.node_info.id
            if name in changed:
                self._outputs[name], reasons = None, ["what it reads is taken to have changed"]
            else:
                self._outputs[name], reasons = self._ask(node, self._components[name])
            state: State = "run" if self._outputs[name] is None else "cached"
            found.append(Answer(name, state, reasons, self._seconds(name)))
        return found

    def _ask(
        self, node: pipeline_pb2.PipelineNode, component: BaseNode
    ) -> tuple[_Outputs | None, list[str]]:
        if isinstance(component, Importer):
            return self._ask_importer(component)
        channels = component.raw_inputs if isinstance(component, Resolver) else component.inputs
        inputs, new = self._inputs(channels)
        if isinstance(component, Resolver):
            # What it would find for something that is not there yet, nobody can say; and it takes
            # no time.
            return self._resolve(component, inputs), []
        parameters = data_types_utils.build_parsed_value_dict(
            inputs_utils.resolve_parameters_with_schema(node_parameters=node.parameters)
        )
        name = node.node_info.id
        if new:
            told = differences.explain(self._history, name, parameters, None)
            return None, [*_would_be_new(new), *told]
        outputs = self._cached(node, inputs, parameters)
        if outputs is not None:
            return outputs, []
        ids = {key: [artifact.id for artifact in found] for key, found in inputs.items()}
        return None, differences.explain(self._history, name, parameters, ids)

    def _inputs(
        self, channels: Mapping[str, types.BaseChannel]
    ) -> tuple[dict[str, list[types.Artifact]], list[tuple[str, str]]]:
        """Artifacts by key, and the inputs that would be new, with what makes them."""
        found: dict[str, list[types.Artifact]] = {}
        new = []
        for key, given in channels.items():
            if not isinstance(given, channel.OutputChannel):
                found[key] = self._of_type(given.type)
                continue
            producer = self._outputs[given.producer_component_id]
            if producer is None:
                new.append((key, given.producer_component_id))
            else:
                found[key] = list(producer.get(given.output_key, ()))
        return {key: artifacts for key, artifacts in found.items() if artifacts}, new

    def _of_type(self, kind: type[types.Artifact]) -> list[types.Artifact]:
        protos = [
            artifact.proto for artifact in self._history.of_type(kind.TYPE_NAME) if artifact.is_live
        ]
        if not protos:
            return []
        [artifact_type] = self._store.get_artifact_types_by_id([protos[0].type_id])
        return artifact_utils.deserialize_artifacts(artifact_type, protos)

    def _resolve(self, component: Resolver, inputs: dict[str, list[types.Artifact]]) -> _Outputs:
        told = component.exec_properties
        strategy = told[RESOLVER_STRATEGY_CLASS](**told[RESOLVER_CONFIG])
        given = {key: inputs.get(key, []) for key in component.raw_inputs}
        return strategy.resolve_artifacts(self._store, given) or {}

    def _ask_importer(self, component: Importer) -> tuple[_Outputs | None, list[str]]:
        uri = component.exec_properties["artifact_uri"]
        (key,) = component.outputs
        kind = component.outputs[key].type
        found = [artifact for artifact in self._of_type(kind) if artifact.uri == uri]
        if found:
            return {key: [max(found, key=lambda artifact: artifact.id)]}, []
        return None, [f"{uri} was not imported before"]

    def _cached(
        self,
        node: pipeline_pb2.PipelineNode,
        inputs: Mapping[str, Sequence[types.Artifact]],
        parameters: Mapping[str, Any],
    ) -> _Outputs | None:
        resolver = outputs_utils.OutputsResolver(
            pipeline_node=node,
            pipeline_info=self._compiled.pipeline_info,
            pipeline_runtime_spec=self._compiled.runtime_spec,
        )
        try:
            context = cache_utils.get_cache_context(
                metadata_handle=_OnlyLooking(self._store),
                pipeline_node=node,
                pipeline_info=self._compiled.pipeline_info,
                executor_spec=runner_utils.extract_executor_spec(
                    self._deployment, node.node_info.id
                ),
                input_artifacts=inputs,
                # Their addresses, which bear an execution's id, are no part of the key.
                output_artifacts=resolver.generate_output_artifacts(0),
                parameters=parameters,
            )
        except _NotCachedError:
            return None
        return cache_utils.get_cached_outputs(
            metadata_handle=_Handle(self._store), cache_context=context
        )

    def _seconds(self, node: str) -> float | None:
        ran = [found for found in self._history if found.node == node and found.state == "COMPLETE"]
        return ran[-1].seconds if ran else None


def _would_be_new(inputs: Sequence[tuple[str, str]]) -> list[str]:
    """Inputs that would be new, in words: `examples of ExampleGen would be new`."""
    keys: dict[str, list[str]] = {}
    for key, producer in inputs:
        keys.setdefault(producer, []).append(key)
    return [f"{', '.join(names)} of {producer} would be new" for producer, names in keys.items()]


@dataclasses.dataclass(frozen=True)
class _Handle:
    """TFX's handle to ML Metadata, of a store that is open already."""

    store: mlmd.MetadataStore
