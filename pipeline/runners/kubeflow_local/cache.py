"""When a task need not run again: the service asks the same.

Vertex AI compares a task's inputs (values of parameters, identities of artifacts), the definition
of its outputs, image, command, arguments and environment, within pipelines of one name.
https://cloud.google.com/vertex-ai/docs/pipelines/configure-caching
"""

from __future__ import annotations

import hashlib
import json

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from pipeline.runners.kubeflow_local.artifacts import Values, plain


def fingerprint(
    pipeline: str,
    component: spec_pb2.ComponentSpec,
    container: spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec,
    given: Values,
) -> str:
    """Digest of all that decides what a task makes; in hexadecimal.

    Args:
      pipeline: the pipeline's name.
      component: for the definition of its inputs and outputs.
      container: for image, command, arguments and environment; not for its resources.
      given: its inputs.
    """
    content = {
        "pipeline": pipeline,
        "inputs": json_format.MessageToDict(component.input_definitions),
        "outputs": json_format.MessageToDict(component.output_definitions),
        "image": container.image,
        "command": list(container.command),
        "args": list(container.args),
        "env": {variable.name: variable.value for variable in container.env},
        "parameters": {key: plain(value) for key, value in given.parameters.items()},
        "artifacts": given.names(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
