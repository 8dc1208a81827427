"""The sample as a compiled job: every node a process, and the same model as the local runner's."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pipeline.cli.main import FAILED, OK, REFUSED, main
from tests.e2e.conftest import World
from tests.e2e.test_sample import NODES

pytestmark = pytest.mark.slow


def _run(world: World, *overrides: str) -> tuple[int, dict]:
    status = main([*world.arguments(*overrides), "--runner", "kubeflow-local"])
    return status, world.last_summary()


def _states(summary: dict) -> dict[str, str]:
    return {node["id"]: node["state"] for node in summary["nodes"]}


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> World:
    return World(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="module")
def compiled_run(world, other) -> dict:
    status, summary = _run(other, f"data_root={world.data}")
    assert status == OK
    return summary


def test_the_compiled_job_blesses_and_pushes(other, compiled_run):
    assert _states(compiled_run) == dict.fromkeys(NODES, "run")
    assert compiled_run["verdict"]["blessed"]
    assert Path(compiled_run["pushed_path"]).parent == other.models
    folder = other.root / "workspace" / "runs" / compiled_run["run_id"]
    tasks = json.loads((folder / "job.json").read_text())["pipelineSpec"]["root"]["dag"]["tasks"]
    assert set(tasks) == set(NODES)
    assert {path.stem for path in (folder / "logs").iterdir()} == set(NODES)


def test_model_and_figures_are_those_of_the_local_runner(world, first_run, compiled_run):
    for key in ("metrics", "metrics_by_label"):
        for name, value in first_run[key].items():
            assert compiled_run[key][name] == pytest.approx(value, abs=1e-5), name
    records = [
        record.numpy()
        for path in (world.data / "span-1" / "test").glob("*.tfrecord")
        for record in tf.data.TFRecordDataset(str(path))
    ]
    first, second = (
        tf.saved_model.load(run["pushed_path"]).signatures["serving_examples"](
            examples=tf.constant(records)
        )
        for run in (first_run, compiled_run)
    )
    for key in ("scores", "probabilities"):
        np.testing.assert_allclose(first[key], second[key], atol=1e-5)


def test_again_with_nothing_changed_every_node_is_cached(world, other, compiled_run):
    status, summary = _run(other, f"data_root={world.data}")
    assert status == OK
    assert _states(summary) == dict.fromkeys(NODES, "cached")
    for key in ("metrics", "metrics_by_label", "verdict", "pushed_path"):
        assert summary[key] == compiled_run[key]


@pytest.fixture(scope="module")
def changed_run(world, other, compiled_run) -> dict:
    """With another learning rate, and with one node more."""
    overrides = (f"data_root={world.data}", "trainer.learning_rate=0.0007", "bulk_inferrer={}")
    status, summary = _run(other, *overrides)
    assert status in (OK, REFUSED)
    return summary


def test_a_new_learning_rate_is_compared_with_the_model_before(compiled_run, changed_run):
    cached = {node for node, state in _states(changed_run).items() if state == "cached"}
    assert cached == set(NODES[: NODES.index("Trainer")])
    before = changed_run["baseline_metrics"]
    assert before["macro_f1"] == compiled_run["metrics"]["macro_f1"]
    assert before == {key: compiled_run["metrics"][key] for key in before}


def test_a_node_that_fails_is_named_with_its_last_words(world, tmp_path, capsys):
    shutil.copytree(world.data, tmp_path / "data")
    shard = next((tmp_path / "data" / "span-1" / "train").iterdir())
    shard.write_bytes(shard.read_bytes()[:-100])
    status, summary = _run(World(tmp_path))
    assert status == FAILED
    assert _states(summary) == {"ExampleGen": "failed"}
    log = tmp_path / "workspace" / "runs" / summary["run_id"] / "logs" / "ExampleGen.log"
    assert summary["error"].startswith(f"ExampleGen: {shard} is ")
    assert "the span is damaged" in summary["error"]
    assert str(log) in summary["error"]
    assert summary["error"] in capsys.readouterr().out


def test_bulk_inferrer_runs_in_a_container_of_its_own(changed_run):
    (node,) = (node for node in changed_run["nodes"] if node["id"] == "BulkInferrer")
    assert node["state"] == "run"
    (folder,) = node["outputs"]["output_examples"]
    assert list((Path(folder) / "Split-test").glob("*.gz"))
