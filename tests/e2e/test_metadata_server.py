"""The whole DAG with ML Metadata on a server that a team shares."""

import json

import pytest

from pipeline.cli.main import FAILED, OK, main
from tests import databases

QUICK = ("trainer.epochs=2", "trainer.head.members=1", "serving_check.posters=2")


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("mysql", marks=pytest.mark.mysql),
        pytest.param("postgresql", marks=pytest.mark.postgresql),
    ],
)
def test_a_run_is_kept_cached_asked_and_cleaned_up_on_a_server(
    kind, world, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv(databases.VARIABLE, databases.PASSWORD)
    with databases.running(kind) as server:
        given = [f"workspace={tmp_path}", f"data_root={world.data}", *QUICK, *server.overrides()]
        settings = ["--config", "sample", *(f"--set={setting}" for setting in given)]
        assert main(["run", *settings]) == OK
        assert main(["run", *settings]) == OK
        summaries = [
            json.loads((folder / "summary.json").read_text())
            for folder in sorted((tmp_path / "runs").iterdir())
        ]
        states = [{node["state"] for node in summary["nodes"]} for summary in summaries]
        assert states == [{"run"}, {"cached"}]
        capsys.readouterr()
        assert main(["lineage", "--json", *settings]) == OK
        found = json.loads(capsys.readouterr().out)
        assert found["model"]["run"] == summaries[0]["run_id"]
        assert main(["gc", "--keep", "1", *settings]) == OK
        assert "Nothing to remove" in capsys.readouterr().out
        server.process.kill()
        server.process.wait()
        assert main(["run", *settings]) == FAILED
        assert f"no answer from 127.0.0.1:{server.port}" in capsys.readouterr().err
    assert not (tmp_path / "metadata.sqlite").exists()
    # The password is in no file that a run leaves.
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.suffix in (".json", ".log", ".html", ".jsonl"):
            assert databases.PASSWORD not in path.read_text(errors="replace")
