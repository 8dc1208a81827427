"""The compose file for TensorFlow Serving, as text: no docker daemon is needed to read it."""

import re

import pytest
import yaml
from google.protobuf import text_format
from google.protobuf.wrappers_pb2 import Int64Value

from components.serving.settings import ServeSettings
from tests.bare_image import ROOT

DOCKER = ROOT / "docker"


@pytest.fixture(scope="module")
def service():
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]["serving"]


def test_it_serves_the_name_and_port_that_posters_serve_does(service):
    assert f"--model_name={ServeSettings().name}" in service["command"]
    assert "--rest_api_port=8501" in service["command"]
    assert {port.split(":")[0] for port in service["ports"]} == {"127.0.0.1"}
    models = service["volumes"][0]
    assert models["source"].startswith("${POSTERS_MODELS:?")
    assert f"--model_base_path={models['target']}" in service["command"]
    assert all(volume["read_only"] for volume in service["volumes"])


def test_it_is_the_version_of_tensorflow_that_exports(service):
    lock = (ROOT / "requirements" / "lock.txt").read_text()
    exporter = re.search(r"^tensorflow==(\d+\.\d+)", lock, re.MULTILINE)[1]
    assert service["image"].startswith(f"tensorflow/serving:{exporter}.")


def test_every_file_that_is_named_is_there(service):
    mounted = {volume["target"]: volume["source"] for volume in service["volumes"][1:]}
    named = [word.partition("=")[2] for word in service["command"] if "=/config/" in word]
    assert set(named) == set(mounted)
    for source in mounted.values():
        assert (DOCKER / source).is_file()


def test_operations_use_as_many_cores_as_those_of_posters_serve(service):
    threads = ServeSettings().intra_op_threads
    assert f"--tensorflow_intra_op_parallelism={threads}" in service["command"]


def test_batches_are_those_of_posters_serve():
    """Each line is a field of TensorFlow Serving's BatchingParameters, a wrapped whole number."""
    lines = (DOCKER / "batching.txt").read_text().splitlines()
    fields = {}
    for line in lines:
        if line and not line.startswith("#"):
            name, value = re.fullmatch(r"(\w+) \{ (.*) \}", line).groups()
            fields[name] = text_format.Parse(value, Int64Value()).value
    settings = ServeSettings()
    assert fields.pop("batch_timeout_micros") < 50_000
    assert fields.pop("num_batch_threads") == 4
    assert fields == {
        "max_batch_size": settings.max_batch_images,
        "max_enqueued_batches": settings.max_queue_images // settings.max_batch_images,
    }
