"""Artifacts that lost a file, or a part of one, are removed; others never are."""

import hashlib
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
    return artifact.id


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


def test_a_file_that_others_put_there_is_no_damage(connection, tmp_path):
    root = tmp_path / "artifacts"
    with connection as store:
        _publish(store, root / "1", root)
        for name in (".DS_Store", "variables/notes.txt"):
            (root / "1" / name).write_text("mine")
        assert kept_files.remove_damaged(store, str(root)) == []
        assert (root / "1" / "variables" / "notes.txt").exists()
        (root / "1" / "model.pb").unlink()
        assert kept_files.remove_damaged(store, str(root)) == [str(root / "1")]


def _record_as_before(store, made):
    """The record of `_publish` as one digest, which is what was written at first."""
    [artifact] = store.store.get_artifacts_by_id([made])
    del artifact.custom_properties[kept_files.FILES]
    lines = "model.pb 5\nvariables/data 7\n"
    digest = hashlib.sha256(lines.encode()).hexdigest()
    artifact.custom_properties["files"].string_value = digest
    store.store.put_artifacts([artifact])


def test_a_record_that_is_a_digest_removes_nothing(connection, tmp_path):
    root = tmp_path / "artifacts"
    with connection as store:
        for name in "12":
            _record_as_before(store, _publish(store, root / name, root))
        (root / "2" / "notes.txt").write_text("mine")
        assert kept_files.remove_damaged(store, str(root)) == []
        # What was whole is known from then on; of the other no one can tell what is missing.
        for name in "12":
            (root / name / "notes.txt").write_text("mine too")
            (root / name / "model.pb").unlink()
        assert kept_files.remove_damaged(store, str(root)) == [str(root / "1")]
        assert (root / "2" / "variables" / "data").exists()
