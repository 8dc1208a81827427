"""ML Metadata on a server that a team shares: what goes wrong is said, and one run at a time is let
in, from whichever machine."""

import json
import re
import signal
import subprocess
import sys
import textwrap

import pytest

from components.errors import PostersError
from pipeline import config as configuration
from pipeline.metadata_store import place
from tests import databases


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("mysql", marks=pytest.mark.mysql),
        pytest.param("postgresql", marks=pytest.mark.postgresql),
    ],
)
def server(request):
    with databases.running(request.param) as found:
        yield found


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv(databases.VARIABLE, databases.PASSWORD)


def _place(server, tmp_path, name="posters", **changes):
    overrides = [f"workspace={tmp_path}/{name}", f"name={name}", *server.overrides(**changes)]
    return place.of(configuration.load("sample", overrides))


def test_an_empty_database_gets_its_tables_and_keeps_what_is_written(server, tmp_path):
    from ml_metadata.proto import metadata_store_pb2

    where = _place(server, tmp_path)
    store = place.open_store(where)
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Model"))
    artifact = metadata_store_pb2.Artifact(type_id=kind, uri="/models/1")
    # JSON within JSON, and what quoting might stumble over.
    text = json.dumps({"inner": json.dumps({"reason": "it's \\ \u00e9 100 %"})})
    artifact.custom_properties["settings"].string_value = text
    store.put_artifacts([artifact])
    assert artifact.custom_properties["settings"].string_value == text
    # One that is written to again is still the first.
    [first] = store.get_artifacts()
    second = metadata_store_pb2.Artifact(type_id=kind, uri="/models/2")
    [second_id] = store.put_artifacts([second])
    first.state = metadata_store_pb2.Artifact.LIVE
    store.put_artifacts([first])
    both = [first.id, second_id]
    assert [artifact.id for artifact in store.get_artifacts_by_id(both)] == both
    found, _ = place.open_store(where).get_artifacts()
    assert found.uri == "/models/1"
    assert found.custom_properties["settings"].string_value == text
    [again] = store.get_artifacts_by_id([found.id])
    assert again.custom_properties["settings"].string_value == text


@pytest.mark.parametrize(
    ("changes", "password", "words"),
    [
        ({}, "wrong", f"does not let {databases.USER} in .*{databases.VARIABLE}"),
        ({}, "", f"the environment variable {databases.VARIABLE} is not set: put the password"),
        ({"user": "nobody"}, "any", "does not let nobody in"),
        ({"port": 1}, "any", "no answer from 127.0.0.1:1 .*metadata.host and metadata.port"),
        ({"host": "nowhere.invalid"}, "any", "no answer from nowhere.invalid"),
    ],
)
def test_what_is_wrong_is_said(server, tmp_path, monkeypatch, changes, password, words):
    monkeypatch.setenv(databases.VARIABLE, password)
    with pytest.raises(PostersError, match=words) as refusal:
        place.open_store(_place(server, tmp_path, **changes))
    assert databases.PASSWORD not in str(refusal.value)


def test_a_missing_database_is_not_made(server, tmp_path):
    # To a user without rights MariaDB does not tell one that is missing from one of others.
    words = {
        "mysql": "may not use the database absent",
        "postgresql": r"has no database absent .*CREATE DATABASE absent",
    }
    with pytest.raises(PostersError, match=words[server.kind]):
        place.open_store(_place(server, tmp_path, database="absent"))


def test_one_run_of_a_pipeline_at_a_time_wherever_it_runs(server, tmp_path):
    here, elsewhere = _place(server, tmp_path / "here"), _place(server, tmp_path / "elsewhere")
    other = _place(server, tmp_path, name="other")
    refused = pytest.raises(PostersError, match="another run of the pipeline posters is using the")
    with here.only_run(), other.only_run(), refused, elsewhere.only_run():
        pass
    # Whoever decides on a run holds it until that is through.
    with elsewhere.only_run(), elsewhere.only_run():
        pass
    with here.only_run():
        pass


def test_a_killed_run_lets_go(server, tmp_path):
    script = f"""
        import time
        from pipeline import config as configuration
        from pipeline.metadata_store import place
        overrides = {[f"workspace={tmp_path}/killed", "name=posters", *server.overrides()]}
        with place.of(configuration.load("sample", overrides)).only_run():
            print("in", flush=True)
            time.sleep(600)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "in\n"
    where = _place(server, tmp_path)
    with pytest.raises(PostersError, match="another run"), where.only_run():
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    _within(20, where)


def _within(tries, where):
    """Gets in, once the server has noticed that the other is gone."""
    import time

    for left in reversed(range(tries)):
        try:
            with where.only_run():
                return
        except PostersError:
            if not left:
                raise
            time.sleep(0.5)


def test_the_password_is_nowhere_but_in_the_connection(server, tmp_path):
    where = _place(server, tmp_path)
    config = configuration.load("sample", [f"workspace={tmp_path}", *server.overrides()])
    assert databases.PASSWORD not in config.model_dump_json()
    assert databases.PASSWORD not in f"{where} {where!r}"
    assert re.search(databases.PASSWORD, str(where.connection()))
