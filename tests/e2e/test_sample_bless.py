"""Blessing a refused model by hand; it pushes, so it comes after the sample's own tests."""

import getpass
import shlex
from pathlib import Path

import pytest

from pipeline import by_hand
from pipeline import config as configuration
from pipeline.cli.main import FAILED, OK, REFUSED, main
from pipeline.metadata_store import place

#: Another model than the first run's, held against a floor that nothing reaches.
OTHER = ("trainer.seed=3", "evaluator.min_macro_f1_lift=4")


def _model(summary: dict, node: str) -> str:
    (uri,) = next(n["outputs"]["model"] for n in summary["nodes"] if n["id"] == node)
    return uri


@pytest.fixture(scope="module")
def refused(world, first_run):
    """The summary of a refused run, and the versions that serve."""
    status, summary = world.run(*OTHER)
    assert status == REFUSED
    return summary, set(world.models.iterdir())


def _bless(world, run: str, reason: str) -> int:
    settings = world.arguments(*OTHER)[1:]
    return main(["bless", run, *settings, "--reason", reason])


@pytest.mark.parametrize(
    ("run", "reason", "words"),
    [
        ("20200101T000000.000000Z", "why not", "there is no run 20200101T000000.000000Z"),
        ("{refused}", "  ", "--reason is empty"),
        ("{first}", "why not", "was blessed by the Evaluator and pushed to"),
    ],
)
def test_what_cannot_be_blessed(world, first_run, refused, capsys, run, reason, words):
    summary, models = refused
    run = run.format(refused=summary["run_id"], first=first_run["run_id"])
    assert _bless(world, run, reason) == FAILED
    assert words in capsys.readouterr().err
    assert set(world.models.iterdir()) == models


def test_the_refusal_names_the_command_that_blesses(world, refused, capsys):
    capsys.readouterr()
    status, again = world.run(*OTHER)
    assert status == REFUSED
    (line,) = (
        line for line in capsys.readouterr().out.splitlines() if line.startswith("To push it all")
    )
    words = shlex.split(line.partition(": ")[2])
    assert words[:3] == ["posters", "bless", again["run_id"]]
    assert words[-2:] == ["--reason", "WHY"]
    # The same model as before, by another run's name, with the command as it was printed.
    summary, models = refused
    assert main([*words[1:-1], "checked by eye"]) == OK
    (pushed,) = set(world.models.iterdir()) - models
    assert f"Pushed to {pushed}" in capsys.readouterr().out
    last = world.last_summary()
    assert last["status"] == "pushed"
    assert last["pushed_path"] == str(pushed)
    assert last["by_hand"]["reason"] == "checked by eye"
    assert last["by_hand"]["user"] == getpass.getuser()
    assert not last["verdict"]["blessed"]
    page = world.root / "workspace" / "runs" / last["run_id"] / "report.html"
    assert "Refused, then blessed by hand" in page.read_text()
    record = _on_record(world, summary)
    assert record.run == again["run_id"]
    assert Path(record.overrides, "NOT_BLESSED").exists()


def _on_record(world, summary) -> by_hand.ByHand | None:
    config = configuration.load("sample", [f"workspace={world.root / 'workspace'}"])
    store = place.open_store(place.of(config))
    model = by_hand.find_model(store, _model(summary, "Trainer"))
    return by_hand.find(store, model.id, "blessing")


def test_once_is_enough(world, refused, capsys):
    summary, _ = refused
    assert _bless(world, summary["run_id"], "again") == FAILED
    assert "blessed by hand already" in capsys.readouterr().err
    assert _on_record(world, summary).reason == "checked by eye"


def test_run_again_it_is_still_blessed(world, refused, capsys):
    models = set(world.models.iterdir())
    status, summary = world.run(*OTHER)
    assert status == OK
    assert {node["state"] for node in summary["nodes"]} == {"cached"}
    assert summary["by_hand"]["reason"] == "checked by eye"
    assert Path(summary["pushed_path"]) in models == set(world.models.iterdir())
    assert "Blessed by hand, by" in capsys.readouterr().out


def test_the_next_model_is_compared_with_it(world, refused):
    summary, _ = refused
    _, following = world.run("trainer.seed=4")
    assert _model(following, "BaselineResolver") == _model(summary, "Trainer")
    assert following["baseline_metrics"]["macro_f1"] == summary["metrics"]["macro_f1"]
