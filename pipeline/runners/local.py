"""Runs the DAG on this machine, node after node, and says what each one did.

TFX's LocalDagRunner does the same launches, but tells nobody which nodes ran and which were cached,
leaves an interrupted node marked as running, and has no guard against two runs at once.
"""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import data_types, launcher, runtime_parameter_utils
from tfx.orchestration.portable.mlmd import context_lib, execution_lib
from tfx.proto.orchestration import pipeline_pb2

from pipeline.metadata_store.place import Place, handle, open_store
from pipeline.runners import guard, kept_files
from pipeline.runners.kept_files import is_damage
from pipeline.runners.reports import NodeFailedError, NodeReport, State
from pipeline.runners.usage import Usage

#: How ML Metadata names a resolver node's type.
_RESOLVER_TYPE = "tfx.dsl.components.common.resolver.Resolver"


def run(
    pipeline: Pipeline,
    place: Place,
    before: Callable[[str, int, int], None],
    after: Callable[[NodeReport], None],
    executing: Callable[[str], None] = lambda node: None,
    run_id: str | None = None,
    origin: Mapping[str, str] | None = None,
) -> list[NodeReport]:
    """Runs every node of a pipeline in order.

    Args:
      pipeline: the DAG, without a metadata connection.
      place: where ML Metadata lies.
      before: called with a node's name, its place from 1, and the number of nodes.
      after: called with what became of it.
      executing: called with its name before it does its work, if it is not cached.
      run_id: what ML Metadata calls this run; by default the time.
      origin: what to keep with the run besides, by name; see `pipeline.history.origin`.

    Returns:
      One report a node.

    Raises:
      NodeFailedError: a node failed or was interrupted; nodes after it did not start.
      PostersError: another run is using the same metadata, or that cannot be reached or written.
    """
    run_id = run_id or datetime.datetime.now().isoformat()
    # The connection stays out of it: it may hold a password.
    representation = compiler.Compiler().compile(pipeline)
    runtime_parameter_utils.substitute_runtime_parameter(
        representation, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    )
    with place.only_run(), guard.interruptible():
        open_store(place)
        connection = handle(place)
        _fail_abandoned(connection, representation.pipeline_info.id)
        _remove_damaged(connection, _root(representation))
        _record_origin(connection, representation, origin or {})
        return _run_nodes(representation, connection, before, after, executing)


def _run_nodes(
    representation: pipeline_pb2.Pipeline,
    connection: metadata.Metadata,
    before: Callable[[str, int, int], None],
    after: Callable[[NodeReport], None],
    executing: Callable[[str], None],
) -> list[NodeReport]:
    reports: list[NodeReport] = []
    for place, node in enumerate(representation.nodes, start=1):
        node_id = node.pipeline_node.node_info.id
        before(node_id, place, len(representation.nodes))
        started = time.monotonic()
        state: State = "failed"
        outputs: dict[str, list[types.Artifact]] = {}
        with Usage() as usage:
            try:
                state, outputs = _launch(representation, node.pipeline_node, connection, executing)
                failure = None
            except Exception as error:  # whatever an executor raises ends the run
                failure = error
        seconds = time.monotonic() - started
        reports.append(NodeReport(node_id, state, seconds, usage.used, outputs))
        after(reports[-1])
        if failure is not None:
            logging.getLogger(__name__).error("%s failed", node_id, exc_info=failure)
            suspects = _inputs(node.pipeline_node, connection) if is_damage(failure) else ()
            raise NodeFailedError(reports, suspects) from failure
    return reports


class _Launcher(launcher.Launcher):
    """TFX's, which tells when it did not find a node's outputs in the cache."""

    def __init__(self, executing: Callable[[str], None], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._executing = executing

    def _run_executor(self, execution_info: data_types.ExecutionInfo) -> Any:
        self._executing(execution_info.pipeline_node.node_info.id)
        return super()._run_executor(execution_info)


def _launch(
    representation: pipeline_pb2.Pipeline,
    node: pipeline_pb2.PipelineNode,
    connection: metadata.Metadata,
    executing: Callable[[str], None],
) -> tuple[State, dict[str, list[types.Artifact]]]:
    deployment = runner_utils.extract_local_deployment_config(representation)
    node_id = node.node_info.id
    execution_info = _Launcher(
        executing,
        pipeline_node=node,
        mlmd_connection=connection,
        pipeline_info=representation.pipeline_info,
        pipeline_runtime_spec=representation.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, node_id),
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
    ).launch()
    with connection as store:
        [execution] = store.store.get_executions_by_id([execution_info.execution_id])
        if execution_lib.is_execution_failed(execution):
            # Input resolution fails without an exception.
            result = execution_lib.get_execution_result(execution, ignore_parse_errors=True)
            raise RuntimeError(result.result_message if result else "its inputs were not found")
        outputs = execution_lib.get_output_artifacts(store, execution.id)
        cached = execution.last_known_state == metadata_store_pb2.Execution.CACHED
        if node.node_info.type.name == _RESOLVER_TYPE:
            # A resolver only looks things up: finding what it found before changes nothing.
            cached = _was_found_before(store, execution, _ids(outputs))
        elif not cached:
            written = [artifact for each in outputs.values() for artifact in each]
            kept_files.record(store, written, _root(representation))
    return ("cached" if cached else "run"), outputs


def _inputs(node: pipeline_pb2.PipelineNode, connection: metadata.Metadata) -> tuple[str, ...]:
    """The folders that a node which failed was given."""
    with connection as store:
        executions = store.store.get_executions_by_type(node.node_info.type.name)
        last = max(executions, key=lambda execution: execution.id)
        inputs = execution_lib.get_input_artifacts(store, last.id)
    return tuple(sorted({artifact.uri for each in inputs.values() for artifact in each}))


def _ids(outputs: dict[str, list[types.Artifact]]) -> dict[str, list[int]]:
    return {key: [artifact.id for artifact in artifacts] for key, artifacts in outputs.items()}


def _was_found_before(
    store: metadata.Metadata,
    execution: metadata_store_pb2.Execution,
    found: dict[str, list[int]],
) -> bool:
    """Whether the node of an execution found the same in an earlier one."""
    earlier = [
        other.id
        for context in store.store.get_contexts_by_execution(execution.id)
        if context.type == "node"
        for other in store.store.get_executions_by_context(context.id)
        if other.id < execution.id
    ]
    return any(
        _ids(execution_lib.get_output_artifacts(store, other)) == found
        for other in sorted(earlier, reverse=True)
    )


def _record_origin(
    connection: metadata.Metadata,
    representation: pipeline_pb2.Pipeline,
    origin: Mapping[str, str],
) -> None:
    """Keeps with the run in ML Metadata what no node of it knows."""
    with connection as handle:
        contexts = context_lib.prepare_contexts(
            handle, representation.nodes[0].pipeline_node.contexts
        )
        run_type = handle.store.get_context_type(constants.PIPELINE_RUN_CONTEXT_TYPE_NAME)
        (run,) = (context for context in contexts if context.type_id == run_type.id)
        for name, value in origin.items():
            run.custom_properties[name].string_value = value
        handle.store.put_contexts([run])


def _fail_abandoned(connection: metadata.Metadata, pipeline: str) -> None:
    """Marks what a killed run left as running as failed: no other run of it is under way."""
    with connection as handle:
        context = handle.store.get_context_by_type_and_name(
            constants.PIPELINE_CONTEXT_TYPE_NAME, pipeline
        )
        abandoned = [
            execution
            for execution in (handle.store.get_executions_by_context(context.id) if context else ())
            if execution.last_known_state == metadata_store_pb2.Execution.RUNNING
        ]
        for execution in abandoned:
            execution.last_known_state = metadata_store_pb2.Execution.FAILED
        if abandoned:
            handle.store.put_executions(abandoned)


def _root(representation: pipeline_pb2.Pipeline) -> str:
    """The folder of all artifacts."""
    return representation.runtime_spec.pipeline_root.field_value.string_value


def _remove_damaged(connection: metadata.Metadata, root: str) -> None:
    """Lets what lost a file, or a part of one, be made again."""
    with connection as store:
        for folder in kept_files.remove_damaged(store, root):
            logging.getLogger(__name__).warning("%s was damaged: it is made again", folder)
