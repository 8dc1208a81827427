import sqlite3

import pytest
from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from components.errors import PostersError
from pipeline.runners.kubeflow_local.artifacts import Values, plain, to_value
from pipeline.runners.kubeflow_local.store import open_store


def _values(*names, **parameters):
    return Values(
        artifacts={"model": [spec_pb2.RuntimeArtifact(name=name, uri="/m") for name in names]},
        parameters={key: to_value(value) for key, value in parameters.items()},
    )


def test_what_was_recorded_is_there_when_it_is_opened_again(tmp_path):
    path = tmp_path / "root" / "state.sqlite"
    with open_store(path) as store:
        store.record("Trainer", _values("a", count=3.0, why="x", flags=[True]), "print", tmp_path)
    with open_store(path) as store:
        found = store.cached("print")
        assert found.names() == {"model": ["a"]}
        assert found.artifacts["model"][0].uri == "/m"
        values = {key: plain(value) for key, value in found.parameters.items()}
        assert values == {"count": 3.0, "why": "x", "flags": [True]}
        assert store.cached("another") is None
        assert store.knows(tmp_path)
        assert not store.knows(tmp_path / "other")


def test_a_workspace_that_was_moved_is_known(tmp_path):
    with open_store(tmp_path / "state.sqlite") as store:
        made = tmp_path / "before" / "artifacts" / "Trainer" / "20261101"
        store.record("Trainer", _values("a"), "print", made)
        moved = tmp_path / "after" / "artifacts" / "Trainer"
        assert store.knows(moved / "20261101")
        assert not store.knows(moved / "1101")
        assert not store.knows(moved.with_name("Other") / "20261101")


def test_the_last_execution_counts(tmp_path):
    with open_store(tmp_path / "state.sqlite") as store:
        assert store.last_of("Trainer") is None
        for name in ("a", "b"):
            store.record("Trainer", _values(name), "print")
        store.record("Resolver", _values("a"))
        assert store.cached("print").names() == {"model": ["b"]}
        assert store.last_of("Trainer").names() == {"model": ["b"]}
        assert store.last_of("Resolver").names() == {"model": ["a"]}
        # Found again is not made again.
        assert [artifact.name for artifact in store.latest(lambda _: True, 9)] == ["b", "a"]


def test_what_someone_removed_counts_for_nothing(tmp_path):
    folder = tmp_path / "output"
    folder.mkdir()
    with open_store(tmp_path / "state.sqlite") as store:
        store.record("Trainer", _values("a"), "print", folder)
        assert store.cached("print")
        folder.rmdir()
        assert store.cached("print") is None
        assert store.latest(lambda _: True) == []


def test_a_record_is_whole_or_not_there(tmp_path):
    path = tmp_path / "state.sqlite"
    nameless = Values(artifacts={"model": [spec_pb2.RuntimeArtifact(name="a"), None]})
    with open_store(path) as store:
        with pytest.raises(AttributeError):
            store.record("Trainer", nameless, "print")
        assert store.cached("print") is None
        assert store.latest(lambda _: True) == []


def test_a_file_that_is_something_else_is_named(tmp_path):
    path = tmp_path / "state.sqlite"
    path.write_text("no database, and longer than the head of one would be" * 9)
    with pytest.raises(PostersError, match=r"state\.sqlite is no store"), open_store(path):
        pass


def test_a_store_of_another_version_is_named(tmp_path):
    path = tmp_path / "state.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(PostersError, match="is of version 99"), open_store(path):
        pass
