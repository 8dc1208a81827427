"""Fills in what a command or a query leaves open: `{{$}}` and `{{$.inputs...}}`."""

from __future__ import annotations

import json
import re

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from components.errors import PostersError
from pipeline.runners.kubeflow_local.artifacts import plain

_PLACEHOLDER = re.compile(r"\{\{\$(.*?)\}\}", re.DOTALL)
_PARAMETER = re.compile(r"\.inputs\.parameters\['([^']+)'\]")
_ARTIFACT = re.compile(
    r"\.(inputs|outputs)\.artifacts\['([^']+)'\]\.(?:(uri|name)|metadata\['([^']+)'\])"
)


def fill(text: str, given: spec_pb2.ExecutorInput) -> str:
    """Fills in every placeholder of a text.

    Args:
      text: one argument of a command, or a query.
      given: what the task is given; `{{$}}` stands for all of it, as JSON.

    Raises:
      PostersError: a placeholder is of an unknown form, or stands for what there is not.
    """
    return _PLACEHOLDER.sub(lambda match: _value(match[0], match[1], given), text)


def stands_for_nothing(text: str, given: spec_pb2.ExecutorInput) -> bool:
    """Whether a placeholder asks for an artifact where there is none: a resolver found none."""
    wanted = [_ARTIFACT.fullmatch(match[1]) for match in _PLACEHOLDER.finditer(text)]
    return any(
        match[2] in given.inputs.artifacts and not given.inputs.artifacts[match[2]].artifacts
        for match in wanted
        if match and match[1] == "inputs"
    )


def _value(whole: str, path: str, given: spec_pb2.ExecutorInput) -> str:
    if not path:
        return json_format.MessageToJson(given, indent=None)
    if match := _PARAMETER.fullmatch(path):
        if match[1] in given.inputs.parameter_values:
            return _text(plain(given.inputs.parameter_values[match[1]]))
    elif match := _ARTIFACT.fullmatch(path):
        side = given.inputs if match[1] == "inputs" else given.outputs
        if match[2] in side.artifacts and side.artifacts[match[2]].artifacts:
            return _of_artifact(whole, side.artifacts[match[2]].artifacts[0], match[3], match[4])
    else:
        raise PostersError(f"the placeholder {whole} is not known here.")
    raise PostersError(f"the placeholder {whole} stands for what the task is not given.")


def _of_artifact(
    whole: str, artifact: spec_pb2.RuntimeArtifact, attribute: str | None, key: str | None
) -> str:
    if attribute:
        return getattr(artifact, attribute)
    if key not in artifact.metadata.fields:
        raise PostersError(f"the placeholder {whole} stands for metadata that there is not.")
    return _text(plain(artifact.metadata.fields[key]))


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value)
