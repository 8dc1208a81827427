"""The API driven by programs that are not of this project, against the real server."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import requests
import tensorflow as tf
from tfx.components.infra_validator import request_builder
from tfx.proto import infra_validator_pb2
from tfx.types import standard_artifacts

from tests.examples import encode, example, picture, write_records
from tests.serving_process import b64

#: A random image is none, and is refused with 400: the one thing that a specification cannot say.
EXCLUDED = "positive_data_acceptance"
#: For :predict, the model that is there; elsewhere any name is tried.
CONFIG = """\
[[operations]]
include-path-regex = ":predict$"
parameters = { name = "posters" }
"""


def test_a_fuzzer_of_openapi_finds_nothing(server, tmp_path):
    """Schemathesis, in a process of its own: all its checks, over every operation."""
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    program = Path(sys.executable).with_name("schemathesis")
    command = [str(program), "--config-file", str(tmp_path / "schemathesis.toml"), "run"]
    command += [f"{server.url}/openapi.json", "--checks", "all", "--exclude-checks", EXCLUDED]
    command += ["--max-examples", "40", "--generation-deterministic", "--no-color"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Tested: 9" in done.stdout
    assert requests.get(f"{server.url}/readyz", timeout=60).status_code == 200


@pytest.fixture(scope="module")
def built(model_folder, tmp_path_factory):
    """Requests for TensorFlow Serving, as TFX's InfraValidator builds them from examples."""
    root = tmp_path_factory.mktemp("built")
    records = [example(f"tt{row}", encode(picture(row, 30, 50)), ["Drama"]) for row in range(5)]
    write_records(root / "examples" / "Split-test" / "data-00000-of-00001.gz", records)
    (root / "model").mkdir()
    (root / "model" / "Format-Serving").symlink_to(model_folder)
    examples, model = standard_artifacts.Examples(), standard_artifacts.Model()
    examples.uri, model.uri = str(root / "examples"), str(root / "model")
    examples.split_names = '["test"]'
    specification = infra_validator_pb2.RequestSpec(
        tensorflow_serving=infra_validator_pb2.TensorFlowServingRequestSpec(
            signature_names=["serving_examples"]
        ),
        split_name="test",
        num_examples=5,
    )
    requests = request_builder.build_requests("posters", model, examples, specification)
    return records, requests


def test_requests_that_tfx_builds_for_tensorflow_serving_are_answered(server, model_folder, built):
    """Its PredictRequests in the REST API's form, columns by name."""
    records, requests_built = built
    model = tf.saved_model.load(str(model_folder))
    answer = model.signatures["serving_examples"](examples=tf.constant(records))
    wanted = dict(zip(records, answer["scores"].numpy(), strict=True))
    assert len(requests_built) == len(records)
    for request in requests_built:
        inputs = {
            name: [b64(value) for value in tf.make_ndarray(tensor).tolist()]
            for name, tensor in request.inputs.items()
        }
        body = {"signature_name": request.model_spec.signature_name, "inputs": inputs}
        url = f"{server.url}/v1/models/{request.model_spec.name}:predict"
        outputs = requests.post(url, json=body, timeout=30).json()["outputs"]
        (record,) = tf.make_ndarray(request.inputs["examples"]).tolist()
        np.testing.assert_allclose(outputs["scores"], [wanted.pop(record)], atol=1e-5)
    assert not wanted
