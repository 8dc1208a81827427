"""One Transform and one exported model, shared by the tests of what serves."""

import pytest

from tests import serving


@pytest.fixture(scope="session")
def transform_graph(tmp_path_factory):
    return serving.transform_graph(tmp_path_factory.mktemp("transform"))


@pytest.fixture(scope="session")
def model_folder(transform_graph, tmp_path_factory):
    """A pushed version: `models/100`."""
    return serving.export_model(transform_graph, tmp_path_factory.mktemp("models") / "100")
