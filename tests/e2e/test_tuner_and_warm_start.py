"""The sample with the nodes that a configuration may ask for besides."""

import json
from pathlib import Path

import pytest

from components.trainer import head_weights
from components.trainer.export import DESCRIPTION_FILE
from components.tuner.component import TRIALS_FILE
from pipeline.cli.main import OK
from tests.e2e.conftest import World

OPTIONS = ("tuner.trials=3", "tuner.epochs=2", "trainer.warm_start=true", "trainer.epochs=6")


@pytest.fixture(scope="module")
def other(world, tmp_path_factory) -> World:
    return World(tmp_path_factory.mktemp("tuned"))


@pytest.fixture(scope="module")
def first(world, other) -> dict:
    status, summary = other.run(f"data_root={world.data}", *OPTIONS)
    assert status == OK
    return summary


def _nodes(summary: dict) -> dict[str, dict]:
    return {node["id"]: node for node in summary["nodes"]}


def _description(summary: dict) -> dict:
    return json.loads((Path(summary["pushed_path"]) / DESCRIPTION_FILE).read_text())


def test_the_tuner_leaves_its_trials_and_the_trainer_says_what_it_took(first):
    nodes = _nodes(first)
    order = list(nodes)
    assert order.index("Transform") < order.index("Tuner") < order.index("Trainer")
    outputs = nodes["Tuner"]["outputs"]
    trials = json.loads((Path(outputs["tuner_results"][0]) / TRIALS_FILE).read_text())
    assert [trial["id"] for trial in trials["trials"]] == ["0", "1", "2"]
    assert trials["trials"][0]["settings"]["learning_rate"] == 0.001
    [best] = Path(outputs["best_hyperparameters"][0]).iterdir()
    chosen = json.loads(best.read_text())["values"]
    told = _description(first)["tuned"]
    assert {key: change["used"] for key, change in told.items()}.items() <= {
        **chosen
    }.items() or told == {}


def test_the_first_model_starts_from_nothing_and_says_why(first):
    description = _description(first)
    assert description["warm_started_from"] is None
    assert description["warm_start_refused"] == "no model was ever blessed"
    assert (Path(first["pushed_path"]) / head_weights.FILE).is_file()


def test_again_with_nothing_changed_every_node_is_cached(world, other, first):
    status, summary = other.run(f"data_root={world.data}", *OPTIONS)
    assert status == OK
    assert {node["state"] for node in summary["nodes"]} == {"cached"}


def test_the_next_training_starts_warm_and_the_tuner_is_not_asked_again(world, other, first):
    status, summary = other.run(
        f"data_root={world.data}", *OPTIONS, "trainer.decision.thresholds=half",
        "evaluator.max_macro_f1_drop=1",
    )  # fmt: skip
    assert status == OK
    nodes = _nodes(summary)
    assert nodes["Tuner"]["state"] == "cached"
    assert nodes["Trainer"]["state"] == "run"
    before, after = _description(first), _description(summary)
    [model] = _nodes(first)["Trainer"]["outputs"]["model"]
    assert after["warm_started_from"].startswith(model)
    assert after["warm_started_labels"] == after["labels"]
    assert after["history"][0]["loss"] < 0.8 * before["history"][0]["loss"]
