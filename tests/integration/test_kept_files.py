"""Artifacts that lost a file, or a part of one, are removed; others never are."""

from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata
from tfx.types import standard_artifacts

from pipeline.runners import kept_files


@pytest.fixture
def connection(tmp_path) -> metadata.Metadata:
    path = str(tmp_path / "metadata.sqlite")
    return metadata.Metadata(metadata.sqlite_metadata_connection_config(path))


def _publish(store, folder: Path, root: Path, state=metadata_store_pb2.Artifact.LIVE):
    (folder / "variables").mkdir(parents=True)
    (folder / "model.pb").write_bytes(b"model")
    (folder / "variables" / "data").write_bytes(b"weights")
    artifact = standard_artifacts.Model()
    artifact.uri = str(folder)
    artifact.type_id = store.store.put_artifact_type(artifact.artifact_type)
    artifact.mlmd_artifact.state = state
    [artifact.id] = store.store.put_artifacts([artifact.mlmd_artifact])
    kept_files.record(store, [artifact], str(root))


@pytest.mark.parametrize("damage", ["shorter", "gone"])
def test_only_what_is_damaged_is_removed(connection, tmp_path, damage):
    root, elsewhere = tmp_path / "artifacts", tmp_path / "elsewhere"
    with connection as store:
        for folder in (root / "1", root / "2", root / "3", elsewhere / "4"):
            _publish(store, folder, root)
        assert kept_files.remove_damaged(store, str(root)) == []
        for folder in (root / "2", elsewhere / "4"):
            path = folder / "variables" / "data"
            path.write_bytes(b"weig") if damage == "shorter" else path.unlink()
        # What was removed as a whole is the cache's to find.
        (root / "3").rename(tmp_path / "away")
        assert kept_files.remove_damaged(store, str(elsewhere)) == []
        assert kept_files.remove_damaged(store, str(root)) == [str(root / "2")]
        assert not (root / "2").exists()
        assert (root / "1" / "model.pb").exists()
        assert (elsewhere / "4" / "model.pb").exists()
        assert kept_files.remove_damaged(store, str(root)) == []
