"""Reads a compiled job, through Kubeflow's own message types."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Value
from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from components.errors import PostersError

#: The version in which parameters are plain values; the one before has a form of its own.
_SCHEMA_VERSION = "2.1."


@dataclasses.dataclass(frozen=True)
class Job:
    """One compiled job.

    Attributes:
      name: the pipeline's.
      root: the outermost DAG.
      components: what tasks refer to, by name.
      executors: how the components that are no DAGs are carried out, by label.
      parameters: values of the job's own parameters.
    """

    name: str
    root: spec_pb2.ComponentSpec
    components: Mapping[str, spec_pb2.ComponentSpec]
    executors: Mapping[str, spec_pb2.PipelineDeploymentConfig.ExecutorSpec]
    parameters: Mapping[str, Value]

    def component(self, task: spec_pb2.PipelineTaskSpec) -> spec_pb2.ComponentSpec:
        """What a task refers to."""
        return self.components[task.component_ref.name]

    def executor(
        self, task: spec_pb2.PipelineTaskSpec
    ) -> spec_pb2.PipelineDeploymentConfig.ExecutorSpec:
        """How a task that is no DAG is carried out."""
        return self.executors[self.component(task).executor_label]


def read(path: Path) -> Job:
    """Reads a job as it was compiled: JSON with its runtime configuration, or YAML without.

    Raises:
      PostersError: it is not a job, or of another version of the form.
    """
    try:
        content = path.read_text(encoding="utf-8")
        found = yaml.safe_load(content) if path.suffix in (".yaml", ".yml") else json.loads(content)
        return _job(found)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise PostersError(f"{path} cannot be read as a compiled job: {error}") from error
    except json_format.ParseError as error:
        raise PostersError(
            f"{path} holds what Kubeflow's form of a job does not know: {error}. Compile it again "
            "with the versions of this environment."
        ) from error


def _job(found: Any) -> Job:
    if not isinstance(found, dict):
        raise ValueError("there is no object in it")
    job = spec_pb2.PipelineJob()
    if "pipelineSpec" in found:
        json_format.ParseDict(found, job)
        found = found["pipelineSpec"]
    spec = json_format.ParseDict(found, spec_pb2.PipelineSpec())
    if not spec.schema_version.startswith(_SCHEMA_VERSION):
        raise ValueError(
            f"its schemaVersion is {spec.schema_version or 'missing'}, not {_SCHEMA_VERSION}x"
        )
    # A plain structure within the specification, with a form of its own all the same.
    deployment = json_format.ParseDict(
        json_format.MessageToDict(spec.deployment_spec), spec_pb2.PipelineDeploymentConfig()
    )
    return Job(
        name=spec.pipeline_info.name,
        root=spec.root,
        components=dict(spec.components),
        executors=dict(deployment.executors),
        parameters=_parameters(spec.root, job.runtime_config),
    )


def _parameters(
    root: spec_pb2.ComponentSpec, runtime: spec_pb2.PipelineJob.RuntimeConfig
) -> dict[str, Value]:
    values = {
        name: given.default_value
        for name, given in root.input_definitions.parameters.items()
        if given.HasField("default_value")
    }
    values.update(runtime.parameter_values)
    if missing := sorted(root.input_definitions.parameters.keys() - values.keys()):
        raise ValueError(f"it gives no value to its parameter {', '.join(missing)}")
    return values
