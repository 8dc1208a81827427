"""Takes something that lies somewhere as an artifact, without running anything."""

from __future__ import annotations

from google.protobuf.struct_pb2 import Value
from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from components.errors import PostersError
from pipeline.runners.kubeflow_local.artifacts import Values, plain, title
from pipeline.runners.kubeflow_local.store import Store


def import_artifact(
    importer: spec_pb2.PipelineDeploymentConfig.ImporterSpec,
    component: spec_pb2.ComponentSpec,
    given: Values,
    store: Store,
    name: str,
) -> Values:
    """The artifact, as it was imported before unless the job wants it imported anew.

    Args:
      importer: where it lies, and of which type it is.
      component: for the key of its output.
      given: parameters, one of which may say where it lies.
      store: what was imported before.
      name: what to call it if it is new.

    Raises:
      PostersError: nothing says where it lies.
    """
    (key,) = component.output_definitions.artifacts
    artifact = spec_pb2.RuntimeArtifact(
        name=name,
        uri=_uri(importer.artifact_uri, given),
        type=importer.type_schema,
        metadata=importer.metadata,
    )

    def is_same(other: spec_pb2.RuntimeArtifact) -> bool:
        return (
            other.uri == artifact.uri
            and title(other.type) == title(artifact.type)
            and other.metadata == artifact.metadata
        )

    known = [] if importer.reimport else store.latest(is_same)
    return Values(artifacts={key: known or [artifact]})


def _uri(uri: spec_pb2.ValueOrRuntimeParameter, given: Values) -> str:
    value: Value | None = uri.constant
    if uri.HasField("runtime_parameter"):
        value = given.parameters.get(uri.runtime_parameter)
    if value is None or not isinstance(plain(value), str):
        raise PostersError("nothing says where what it imports lies.")
    return plain(value)
