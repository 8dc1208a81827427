"""One Transform and one exported model, shared by the tests of what serves."""

import pytest

from tests import serving
from tests.serving_process import ServerProcess


@pytest.fixture(scope="session")
def transform_graph(tmp_path_factory):
    return serving.transform_graph(tmp_path_factory.mktemp("transform"))


@pytest.fixture(scope="session")
def model_folder(transform_graph, tmp_path_factory):
    """A pushed version: `models/100`."""
    return serving.export_model(transform_graph, tmp_path_factory.mktemp("models") / "100")


@pytest.fixture(scope="module")
def server(model_folder):
    """A real server on that version, quick to look and to lose patience."""
    settings = (
        "poll_seconds=0.2", "header_seconds=2", "body_seconds=2", "max_body_mb=1",
        "max_request_images=8", "max_connections=60",
    )  # fmt: skip
    with ServerProcess(model_folder.parent, *settings) as process:
        yield process
