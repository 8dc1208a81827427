"""The sample with the nodes that a configuration may ask for besides."""

import json
from pathlib import Path

import pytest

from components.report.component import RunReport
from components.trainer import head_weights
from components.trainer.export import DESCRIPTION_FILE
from components.tuner.component import TRIALS_FILE
from pipeline import config, dag, fingerprints, windows
from pipeline.cli.main import OK
from pipeline.training_nodes import WARM_START_RESOLVER
from tests.e2e.conftest import World

#: A rate at which nothing is learned, so that there is something to find.
OPTIONS = (
    "trainer.learning_rate=1e-6", "trainer.epochs=6", "trainer.warm_start=true",
    "tuner.trials=3", "tuner.epochs=6",
    "tuner.space={learning_rate: {low: 1e-3, high: 1e-2}, weight_decay: [], ema: []}",
)  # fmt: skip


@pytest.fixture(scope="module")
def other(share_features, tmp_path_factory) -> World:
    other = World(tmp_path_factory.mktemp("tuned"))
    share_features(other.root / "workspace")
    return other


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
    assert trials["trials"][0]["settings"]["learning_rate"] == 1e-6
    assert trials["chosen"] != "0"
    [best] = Path(outputs["best_hyperparameters"][0]).iterdir()
    chosen = json.loads(best.read_text())["values"]
    told = _description(first)["tuned"]
    assert told["learning_rate"] == {"given": 1e-6, "used": chosen["learning_rate"]}
    assert _description(first)["trainer"]["learning_rate"] == chosen["learning_rate"]


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


def _properties(world: World, *overrides: str) -> dict[str, dict]:
    """What TFX compares, besides inputs, to tell whether a node must run again.

    RunReport is left out: it shows every setting, whatever node that is for.
    """
    loaded = config.load("sample", [f"data_root={world.data}", *overrides])
    pipeline = dag.create_pipeline(loaded, windows.resolve(loaded))
    return {
        node.id: dict(getattr(node, "exec_properties", {}))
        for node in pipeline.components
        if node.id != RunReport.__name__
    }


def _changed(before: dict[str, dict], after: dict[str, dict]) -> set[str]:
    assert before.keys() == after.keys()
    return {node for node in before if before[node] != after[node]}


def test_what_concerns_the_tuner_alone_changes_no_other_node(world, monkeypatch):
    before = _properties(world, "tuner.trials=3")
    assert _changed(before, _properties(world, "tuner.trials=4")) == {"Tuner"}
    later = _properties(world, "tuner.trials=3", "trainer.decision.thresholds=half")
    assert _changed(before, later) == {"Trainer"}
    code = fingerprints.code
    monkeypatch.setattr(
        fingerprints, "code", lambda *names: code(*names) + str("components.tuner" in names)
    )
    other_code = _properties(world, "tuner.trials=3")
    monkeypatch.setattr(fingerprints, "code", lambda *names: code(*names) + "False")
    assert _changed(_properties(world, "tuner.trials=3"), other_code) == {"Tuner"}


def test_nothing_is_searched_or_looked_up_unasked(world):
    assert not {"Tuner", WARM_START_RESOLVER} & _properties(world).keys()
