import copy

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from pipeline.runners.kubeflow_local import cache
from pipeline.runners.kubeflow_local.artifacts import Values, to_value

_CONTENT = {
    "pipeline": "posters",
    "component": {
        "inputDefinitions": {"parameters": {"rate": {"parameterType": "NUMBER_DOUBLE"}}},
        "outputDefinitions": {"artifacts": {"model": {"artifactType": {"schemaTitle": "Model"}}}},
    },
    "container": {
        "image": "image:1",
        "command": ["python", "-m", "module"],
        "args": ["--input", "{{$}}"],
        "env": [{"name": "A", "value": "1"}],
        "resources": {"cpuLimit": 4},
    },
    "parameters": {"rate": 0.1, "loss": "bce"},
    "artifacts": {"examples": ["run-1/Examples/examples"], "baseline": []},
}  # fmt: skip


def _fingerprint(content):
    return cache.fingerprint(
        content["pipeline"],
        json_format.ParseDict(content["component"], spec_pb2.ComponentSpec()),
        json_format.ParseDict(
            content["container"], spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec()
        ),
        Values(
            artifacts={
                key: [spec_pb2.RuntimeArtifact(name=name, uri=f"/{name}") for name in names]
                for key, names in content["artifacts"].items()
            },
            parameters={key: to_value(value) for key, value in content["parameters"].items()},
        ),
    )


def _changed(*path_and_value):
    *path, last, value = path_and_value
    content = copy.deepcopy(_CONTENT)
    target = content
    for key in path:
        target = target[key]
    target[last] = value
    return content


@pytest.mark.parametrize(
    "change",
    [
        ("pipeline", "other"),
        ("component", "outputDefinitions", "artifacts", {}),
        ("component", "inputDefinitions", "parameters", {}),
        ("container", "image", "image:2"),
        ("container", "command", ["python", "-m", "another"]),
        ("container", "args", ["--input", "{{$}}", "--fast"]),
        ("container", "env", [{"name": "A", "value": "2"}]),
        ("parameters", "rate", 0.2),
        ("parameters", "loss", "asl"),
        ("artifacts", "examples", ["run-2/Examples/examples"]),
        ("artifacts", "baseline", ["run-1/Trainer/model"]),
    ],
)
def test_whatever_decides_what_is_made_changes_it(change):
    assert _fingerprint(_changed(*change)) != _fingerprint(_CONTENT)


def test_resources_do_not_change_it():
    other = {"cpuLimit": 8, "accelerator": {"type": "NVIDIA_L4", "count": "1"}}
    assert _fingerprint(_changed("container", "resources", other)) == _fingerprint(_CONTENT)


@settings(deadline=None)
@given(
    st.dictionaries(st.text(min_size=1), st.floats(-1e6, 1e6), min_size=2),
    st.randoms(use_true_random=False),
)
def test_the_order_in_which_inputs_are_named_does_not_change_it(parameters, random):
    shuffled = list(parameters.items())
    random.shuffle(shuffled)
    first, second = (_changed("parameters", dict(items)) for items in (parameters, shuffled))
    assert _fingerprint(first) == _fingerprint(second)
