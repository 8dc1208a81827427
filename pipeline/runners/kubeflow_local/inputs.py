"""What a task is given: from the job, from the DAG it is in, and from tasks before it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from google.protobuf.struct_pb2 import Value
from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from components.errors import PostersError
from pipeline.runners.kubeflow_local.artifacts import Values, plain, to_value

_InputArtifact = spec_pb2.TaskInputsSpec.InputArtifactSpec
_InputParameter = spec_pb2.TaskInputsSpec.InputParameterSpec


def resolve(
    task: spec_pb2.PipelineTaskSpec,
    component: spec_pb2.ComponentSpec,
    scope: Values,
    made: Mapping[str, Values],
    final_status: Callable[[str], str],
) -> Values:
    """Looks up every input of a task.

    Args:
      task: the task.
      component: what it refers to, whose defaults count.
      scope: the inputs of the DAG that the task is in.
      made: outputs of the tasks before it in that DAG.
      final_status: what became of a task that may have failed, as JSON; for exit handlers.

    Raises:
      PostersError: something that it takes was not made, or not given.
    """
    parameters = {
        key: declared.default_value
        for key, declared in component.input_definitions.parameters.items()
        if declared.HasField("default_value")
    }
    for key, given in task.inputs.parameters.items():
        parameters[key] = _parameter(key, given, scope, made, final_status)
    artifacts = {
        key: _artifacts(key, given, scope, made) for key, given in task.inputs.artifacts.items()
    }
    return Values(artifacts, parameters)


def to_expression(given: Values) -> dict[str, object]:
    """The same inputs as a condition sees them; see `conditions`."""
    return {
        "artifacts": {
            key: {
                "artifacts": [
                    {
                        "name": artifact.name,
                        "uri": artifact.uri,
                        "metadata": {
                            name: plain(value) for name, value in artifact.metadata.fields.items()
                        },
                    }
                    for artifact in artifacts
                ]
            }
            for key, artifacts in given.artifacts.items()
        },
        "parameter_values": {key: plain(value) for key, value in given.parameters.items()},
    }


def status_json(job: str, task: str, error: str | None) -> str:
    """What an exit handler is told of the task before it.

    Args:
      job: the run's name.
      task: the task's name.
      error: why it failed, or None if it did not.
    """
    state = "FAILED" if error else "SUCCEEDED"
    status = {"state": state, "pipelineJobResourceName": job, "pipelineTaskName": task}
    return json.dumps({**status, "error": {"message": error}} if error else status)


def _parameter(
    key: str,
    given: _InputParameter,
    scope: Values,
    made: Mapping[str, Values],
    final_status: Callable[[str], str],
) -> Value:
    match given.WhichOneof("kind"):
        case "runtime_value":
            return given.runtime_value.constant
        case "task_final_status":
            return to_value(final_status(given.task_final_status.producer_task))
        case "component_input_parameter":
            return _found(scope.parameters, given.component_input_parameter, key, "its DAG")
        case "task_output_parameter":
            source = given.task_output_parameter
            parameters = made[source.producer_task].parameters
            return _found(parameters, source.output_parameter_key, key, source.producer_task)
    raise PostersError(f"its parameter {key} comes from nowhere.")


def _artifacts(
    key: str, given: _InputArtifact, scope: Values, made: Mapping[str, Values]
) -> list[spec_pb2.RuntimeArtifact]:
    if given.HasField("component_input_artifact"):
        return _found(scope.artifacts, given.component_input_artifact, key, "its DAG")
    source = given.task_output_artifact
    artifacts = made[source.producer_task].artifacts
    return _found(artifacts, source.output_artifact_key, key, source.producer_task)


def _found(there: Mapping[str, object], wanted: str, key: str, source: str):
    if wanted not in there:
        raise PostersError(f"its input {key} is {wanted} of {source}, which there is not.")
    return there[wanted]
