"""Artifacts, as Kubeflow passes them from task to task."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Value
from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

if TYPE_CHECKING:
    from tfx import types

#: Key of an input or output, and the artifacts under it: none, where a resolver found none.
ArtifactLists = Mapping[str, list[spec_pb2.RuntimeArtifact]]


@dataclasses.dataclass(frozen=True)
class Values:
    """What a task was given, or what it made.

    Attributes:
      artifacts: by key.
      parameters: by key.
    """

    artifacts: ArtifactLists = dataclasses.field(default_factory=dict)
    parameters: Mapping[str, Value] = dataclasses.field(default_factory=dict)

    def names(self) -> dict[str, list[str]]:
        """The artifacts' names, which tell one artifact from every other."""
        return {key: [artifact.name for artifact in found] for key, found in self.artifacts.items()}


def title(schema: spec_pb2.ArtifactTypeSchema) -> str:
    """The name of an artifact's type, such as `tfx.Model`."""
    if schema.WhichOneof("kind") == "schema_title":
        return schema.schema_title
    return (yaml.safe_load(schema.instance_schema) or {}).get("title", "tfx.Artifact")


def plain(value: Value) -> Any:
    """A parameter's value as JSON has it; numbers are floats."""
    return json_format.MessageToDict(value)


def to_value(plain_value: Any) -> Value:
    """The message that holds a JSON value."""
    return json_format.ParseDict(plain_value, Value())


def to_tfx(found: ArtifactLists) -> dict[str, list[types.Artifact]]:
    """The same artifacts in TFX's form, made by TFX's own container code."""
    if not found:
        return {}
    # It loads TensorFlow.
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils

    lists = {key: spec_pb2.ArtifactList(artifacts=artifacts) for key, artifacts in found.items()}
    return kubeflow_v2_entrypoint_utils.parse_raw_artifact_dict(lists)
