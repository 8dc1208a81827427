"""The gate in real runs of the local runner: what stops before Transform, and in which words."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tfx.orchestration.pipeline import Pipeline

from components.errors import PostersError
from components.gate import accepted, executor, report
from components.spans import reading
from pipeline import config as configuration
from pipeline import dag, data_nodes, windows
from pipeline.metadata_store import place
from pipeline.runners import local
from tests import spans

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A data root whose spans 1 and 2 were let through together, and the workspace."""
    root = tmp_path_factory.mktemp("gate")
    for number in (1, 2):
        spans.write_span(root / "data", number, spans.clean())
    _run_to_gate(root, "[1, 2]")
    return root


def _config(root, *overrides):
    base = [f"data_root={root}/data", f"workspace={root}/workspace"]
    return configuration.load("sample", [*base, *overrides])


def _window(config):
    """The window, whatever is in it: what cannot be trained on is refused before the gate."""
    root = Path(config.data_root)
    numbers = (config.window,) if isinstance(config.window, int) else config.window
    found = tuple(reading.read(root, number) for number in numbers)
    return windows.Window(found, spans.VOCABULARY)


def _launch(config, pipeline):
    return local.run(pipeline, place.of(config), lambda *_: None, lambda _: None)


def _run_to_gate(root, window, *overrides):
    """Runs the DAG's nodes up to the gate."""
    config = _config(root, f"window={window}", *overrides)
    nodes = data_nodes.create(config, _window(config)).nodes
    pipeline = Pipeline(
        config.name, config.pipeline_root, components=list(nodes), enable_cache=True
    )
    return _launch(config, pipeline)


def _run_whole_dag(root, window, *overrides):
    config = _config(root, f"window={window}", *overrides)
    return _launch(config, dag.create_pipeline(config, _window(config)))


def _stopped_by_gate(root, number, *overrides):
    """The gate's message; nothing after the gate began."""
    with pytest.raises(local.NodeFailedError) as failure:
        _run_whole_dag(root, number, *overrides)
    reports = failure.value.reports
    assert [(node.id, node.state) for node in reports][-1] == ("DataGate", "failed")
    assert "Transform" not in [node.id for node in reports]
    assert not (root / "workspace" / "artifacts" / "Transform").exists()
    assert isinstance(failure.value.__cause__, PostersError)
    return str(failure.value.__cause__)


def _without(label):
    return {
        split: [
            ([name for name in labels if name != label] or ["Drama"], year) for labels, year in rows
        ]
        for split, rows in spans.clean().items()
    }


def _with_label(label):
    splits = spans.clean()
    splits["train"][7] = (["Drama", label], 1990)
    return splits


def _half():
    return {split: rows[: len(rows) // 2] for split, rows in spans.clean().items()}


def _drifted():
    """Every second example of each split is a war film."""
    return {
        split: [(["War"] if row % 2 else labels, year) for row, (labels, year) in enumerate(rows)]
        for split, rows in spans.clean().items()
    }


def _empty(split):
    return {**spans.clean(), split: []}


def _with_year(year):
    splits = spans.clean()
    splits["eval"][3] = (["Drama"], year)
    return splits


@pytest.mark.parametrize(
    ("number", "splits", "words"),
    [
        (11, _without("War"), ["[MISSING_LABEL] train, genres", "War 0", "rejected.csv"]),
        (12, _with_label("Western"), ["[UNKNOWN_LABEL] train", "Western 1", "such as: train-7"]),
        (14, _half(), ["[SHRUNK] all splits", "100 examples, and 200 in the spans before: 50%"]),
        (15, _drifted(), ["[DRIFT] train, genres", "above 0.05", "War", "in span 2", "%) here"]),
        (16, _empty("eval"), ["[EMPTY_SPLIT] eval", "0 examples", "calibrate"]),
        (18, _with_year(1492), ["[INT_TYPE_SMALL_INT] eval, year", "1492", "such as: eval-3"]),
    ],
)  # fmt: skip
def test_bad_data_stops_the_run_before_transform(world, number, splits, words):
    spans.write_span(world / "data", number, splits)
    message = _stopped_by_gate(world, number)
    for word in [f"span {number}", *words, "--allow-anomalies"]:
        assert word in message
    folder = data_nodes.accepted_folder(_config(world))
    assert [record.span for record in accepted.read_all(folder)] == [1, 2]
    refused = report.read(f"{folder}/refused-span-{number}")
    assert (refused["verdict"], refused["spans"]) == ("refused", [number])


def test_each_fault_is_said_once(world):
    spans.write_span(world / "data", 21, _with_label("Wra"))
    message = _stopped_by_gate(world, 21)
    assert message.count("\n  [") == 1, message


def test_a_clean_span_passes_is_compared_and_is_cached_the_second_time(world):
    spans.write_span(world / "data", 31, spans.clean())
    first = _run_to_gate(world, 31)
    assert first[-1].state == "run"
    content = report.read(first[-1].outputs["report"][0].uri)
    assert content["verdict"] == "passed"
    assert content["findings"] == []
    assert content["previous"]["span"] == 2
    assert content["usual"] == {"eval": 40, "test": 40, "train": 120}
    assert content["splits"]["train"]["examples"] == 120
    kinds = {(item["split"], item["feature"], item["kind"]) for item in content["distances"]}
    assert ("train", "genres", "drift") in kinds
    assert ("train", "year", "drift") in kinds
    assert ("test", "genres", "skew") in kinds
    again = _run_to_gate(world, 31)
    assert {node.id: node.state for node in again} == dict.fromkeys(
        [node.id for node in again], "cached"
    )
    # The first spans were compared with nothing, and stay cached whatever came after them.
    assert {node.state for node in _run_to_gate(world, "[1, 2]")} == {"cached"}


def test_only_new_spans_are_looked_at_and_all_count_together(world):
    """A week's posters lack a label and are few: with all that was let through they are enough."""
    week = {
        "train": [(["Drama"], 1990)] * 2 + [(["Comedy"], 1991)] * 4,
        "test": [(["Drama"], 1970)] * 2,
    }
    spans.write_span(world / "data", 51, week)
    loose = "gate.min_share_of_previous=0"
    reports = _run_to_gate(world, "[1, 2, 51]", loose)
    content = report.read(reports[-1].outputs["report"][0].uri)
    assert (content["spans"], content["window"]) == ([51], [1, 2, 51])
    counts = {split: facts["examples"] for split, facts in content["splits"].items()}
    assert counts == {"train": 6, "eval": 0, "test": 2}
    assert content["totals"] == {"train": 246, "eval": 80, "test": 82}
    # By itself it is not fit to train on; and it is judged again, as it is another window.
    spans.write_span(world / "data", 52, week)
    message = _stopped_by_gate(world, 52, loose)
    assert "[EMPTY_SPLIT] eval" in message
    assert "[FEW_EXAMPLES] test" in message
    assert "[MISSING_LABEL] train, genres" in message


def test_what_was_refused_is_new_once_more(tmp_path):
    spans.write_span(tmp_path / "data", 1, spans.clean())
    _run_to_gate(tmp_path, 1)
    spans.write_span(tmp_path / "data", 2, _with_year(1492))
    assert "such as: eval-3" in _stopped_by_gate(tmp_path, 2)
    spans.write_span(tmp_path / "data", 3, spans.clean())
    message = _stopped_by_gate(tmp_path, "[1, 2, 3]")
    assert "the data of spans 2, 3 is not fit" in message
    assert "such as: eval-3" in message


def test_a_limit_of_the_configuration_counts(world):
    spans.write_span(world / "data", 41, spans.clean())
    message = _stopped_by_gate(world, 41, "gate.min_examples.test=41")
    assert "[FEW_EXAMPLES] test" in message
    assert "40 examples; at least 41" in message
    spans.write_span(world / "data", 42, _with_year(1492))
    _run_to_gate(world, 42, "gate.allowed_anomalies.INT_TYPE_SMALL_INT=1")


def test_an_override_lets_the_run_go_on_and_is_kept(tmp_path):
    for number in (1, 2, 3):
        spans.write_span(tmp_path / "data", number, spans.clean() if number < 3 else _half())
    _run_to_gate(tmp_path, "[1, 2]")
    [*_, gate] = _run_to_gate(tmp_path, 3, "gate.override='  the catalogue   was pruned '")
    [artifact] = gate.outputs["report"]
    assert artifact.get_string_custom_property(executor.VERDICT) == "overridden"
    assert artifact.get_string_custom_property(executor.OVERRIDE) == "the catalogue was pruned"
    assert artifact.get_string_custom_property(executor.OVERRIDDEN) == "SHRUNK"
    summary = report.summarize(report.read(artifact.uri))
    assert "100 examples, and 200 in the spans before" in summary["findings"][0]
    # What was accepted is what the next span is compared with, and the reason goes along.
    spans.write_span(tmp_path / "data", 4, spans.clean())
    [*_, gate] = _run_to_gate(tmp_path, 4)
    previous = report.read(gate.outputs["report"][0].uri)["previous"]
    assert (previous["span"], previous["override"]) == (3, "the catalogue was pruned")


def test_other_data_in_the_same_workspace_is_not_compared(tmp_path):
    spans.write_span(tmp_path / "data", 1, spans.clean())
    _run_to_gate(tmp_path, 1)
    spans.write_span(tmp_path / "other", 3, _half())
    [*_, gate] = _run_to_gate(tmp_path, 3, f"data_root={tmp_path}/other")
    assert report.read(gate.outputs["report"][0].uri)["previous"] is None


def test_transform_waits_for_the_gate_on_kubeflow(world):
    from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as kubeflow

    config = _config(world, "window=1")
    window = _window(config)
    first = data_nodes.create(config, window)
    transform = dag.transform_node(config, window, first)
    pipeline = Pipeline(config.name, str(world / "root"), components=[*first.nodes, transform])
    kubeflow.KubeflowV2DagRunner(
        kubeflow.KubeflowV2DagRunnerConfig(default_image="image"),
        output_dir=str(world),
        output_filename="job.json",
    ).run(pipeline)
    job = json.loads((world / "job.json").read_text())
    tasks = job["pipelineSpec"]["root"]["dag"]["tasks"]
    assert "DataGate" in tasks["Transform"]["dependentTasks"]
    assert "ExampleValidator" in tasks["DataGate"]["dependentTasks"]


@pytest.mark.slow
def test_posters_run_stops_and_with_a_reason_goes_on(tmp_path):
    spans.write_span(tmp_path / "data", 1, _with_year(1492))
    command = [
        sys.executable, "-m", "pipeline.cli.main", "run", "--config", "sample",
        "--set", f"data_root={tmp_path}/data", "--set", f"workspace={tmp_path}/workspace",
        "--set", "trainer.epochs=1",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "DataGate: the data of span 1 is not fit to train on" in done.stdout
    assert "such as: eval-3" in done.stdout
    assert "Transform" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    page = Path(done.stdout.splitlines()[-1])
    assert page.parent.parent == tmp_path / "workspace" / "runs"
    for word in ("Stopped by the data gate", "such as: eval-3", "There is no model"):
        assert word in page.read_text()

    reason = 'a film of the Renaissance: "quoted", 100 %'
    done = subprocess.run(
        [*command, "--allow-anomalies", reason], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode in (0, 3), done.stdout + done.stderr
    assert f"let through by hand: {reason}" in done.stdout
    [summary] = [
        content
        for path in (tmp_path / "workspace" / "runs").glob("*/summary.json")
        if (content := json.loads(path.read_text()))["status"] != "failed"
    ]
    assert summary["gate"]["override"] == reason
    assert "1492" in summary["gate"]["findings"][0]


@pytest.mark.parametrize("reason", ["", "  "])
def test_an_override_needs_a_reason(reason, tmp_path, capsys):
    from pipeline.cli import main

    assert main.main(["run", "--config", "sample", "--allow-anomalies", reason]) == main.FAILED
    assert "gate.override" in capsys.readouterr().err
