"""The DAG's first node reads a span from a store."""

import types

import pytest
import tensorflow as tf
from tfx.dsl.io import filesystem, filesystem_registry
from tfx.orchestration.pipeline import Pipeline

from components.ingest import ingest
from components.store_path import StorePath
from pipeline import config as configuration
from pipeline import data, data_nodes
from pipeline.metadata_store import place
from pipeline.runners import local
from tests import gcs_server
from tests.ingest_sources import OPTIONS, SPLITS, make_source


class Listing(filesystem.Filesystem):
    """What TFX asks of a store before Beam reads it, put to the server of the test.

    TFX asks through TensorFlow, which knows Google's own server alone.
    """

    SUPPORTED_SCHEMES = ("gs://",)

    @staticmethod
    def glob(pattern):
        folder, _, name = pattern.rpartition("/")
        return [str(path) for path in StorePath(folder).glob(name)]

    @staticmethod
    def stat(path):
        return types.SimpleNamespace(length=StorePath(path).stat().st_size, mtime_nsec=0)


@pytest.fixture
def out(monkeypatch):
    registry = filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY
    monkeypatch.setitem(registry._preferred_filesystem_by_scheme, "gs://", Listing)
    process, address = gcs_server.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
    gcs_server.skip_credentials()
    yield StorePath(f"gs://{gcs_server.BUCKET}/data")
    process.terminate()
    process.wait()


def test_the_examples_of_a_run_come_from_a_store(tmp_path, out):
    table, images, _ = make_source(tmp_path)
    manifest = ingest(table, images, out, OPTIONS).manifest
    overrides = [f"data_root={out}", f"workspace={tmp_path}/workspace"]
    config = configuration.load("sample", overrides)
    examples = data_nodes.create(config, data.find_span(config)).examples
    pipeline = Pipeline(config.name, config.pipeline_root, components=[examples])
    (report,) = local.run(pipeline, place.of(config), lambda *_: None, lambda _: None)
    (artifact,) = report.outputs["examples"]
    for split in SPLITS:
        files = tf.io.gfile.glob(f"{artifact.uri}/Split-{split}/*")
        records = tf.data.TFRecordDataset(files, compression_type="GZIP")
        assert len(list(records)) == manifest["examples"][split]
