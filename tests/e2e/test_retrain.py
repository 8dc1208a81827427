"""`posters retrain` on a small sample that grows span by span; and as a scheduled job."""

import csv
import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.main import FAILED, OK, REFUSED, SKIPPED, main

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
#: Rows of the sample's table that each span is made of; the fourth is broken on the way.
PARTS = {1: (0, 400), 2: (400, 420), 3: (420, 500), 4: (500, 580), 5: (580, 660)}
BEFORE_TRAINER = {"ExampleGen", "ImportSchemaGen", "StatisticsGen", "ExampleValidator", "Transform"}


@dataclasses.dataclass(frozen=True)
class Scene:
    """A source, a data root that gets one span after the other, and a workspace."""

    root: Path

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    def settings(self, *overrides: str) -> list[str]:
        given = (
            f"workspace={self.workspace}", f"data_root={self.root / 'data'}", "window=all",
            "trainer.epochs=5", "trainer.head.members=1", "retrain.min_new_posters=60",
            "evaluator.max_macro_f1_drop=0.5", "evaluator.max_label_f1_drop=1", *overrides,
        )  # fmt: skip
        return ["--config", "sample", *(f"--set={setting}" for setting in given)]

    def ingest(self, part: int, label: str | None = None) -> None:
        """Ingests a part of the source; with a label, as if all its posters had that alone."""
        with (self.root / "source" / "MovieGenre.csv").open(encoding="iso-8859-1") as file:
            names, *rows = csv.reader(file)
        first, end = PARTS[part]
        chosen = rows[first:end]
        for row in chosen if label else ():
            row[names.index("Genre")] = label
        table = self.root / f"part-{part}.csv"
        with table.open("w", encoding="iso-8859-1", newline="") as file:
            csv.writer(file).writerows([names, *chosen])
        arguments = [
            "ingest", "--config", "sample", "--set=ingest.min_label_count=10", "--csv", str(table),
            "--images", str(self.root / "source" / "images"), "--out", str(self.root / "data"),
        ]  # fmt: skip
        assert main(arguments) == OK

    def retrain(self, *arguments: str, **overrides: object) -> tuple[int, dict]:
        """The exit status, and the last decision."""
        given = [f"{key.replace('__', '.')}={value}" for key, value in overrides.items()]
        status = main(["retrain", *arguments, *self.settings(*given)])
        return status, self.decisions()[-1]

    def decisions(self) -> list[dict]:
        folder = self.workspace / "decisions"
        return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]

    def runs(self) -> list[str]:
        return sorted(path.name for path in (self.workspace / "runs").iterdir())

    def states(self) -> dict[str, str]:
        path = self.workspace / "runs" / self.runs()[-1] / "summary.json"
        return {node["id"]: node["state"] for node in json.loads(path.read_text())["nodes"]}

    def versions(self) -> list[str]:
        return sorted(path.name for path in (self.workspace / "models").iterdir())


def _rule(decision: dict) -> str:
    return decision["reasons"][0]["rule"]


@pytest.fixture(scope="module")
def scene(drawn, share_features, tmp_path_factory) -> Scene:
    scene = Scene(tmp_path_factory.mktemp("retrain"))
    (scene.root / "source").symlink_to(drawn)
    share_features(scene.workspace)
    scene.ingest(1)
    return scene


def test_the_first_retrain_runs_and_the_second_leaves_it(scene, capsys):
    status, decision = scene.retrain()
    assert (status, _rule(decision)) == (OK, "nothing_served")
    assert decision["outcome"]["status"] == "pushed"
    (version,) = scene.versions()
    assert decision["outcome"]["pushed"].endswith(version)
    assert [decision["outcome"]["run"]] == scene.runs()
    capsys.readouterr()
    status, decision = scene.retrain("--json")
    assert (status, _rule(decision)) == (SKIPPED, "nothing_new")
    assert json.loads(capsys.readouterr().out) == decision
    assert decision["outcome"] is None
    assert len(scene.runs()) == 1


def test_force_runs_all_the_same_and_the_reason_is_kept(scene, capsys):
    before = scene.versions()
    status, decision = scene.retrain("--force", "to see that it is cached")
    assert (status, decision["inputs"]["force"]) == (OK, "to see that it is cached")
    assert set(scene.states().values()) == {"cached"}
    assert scene.versions() == before
    status, decision = scene.retrain("--force", "a test", trainer__hub_handle="/nowhere")
    assert (status, decision["outcome"]["status"]) == (FAILED, "failed")
    assert "/nowhere" in decision["outcome"]["error"]
    capsys.readouterr()
    assert main(["retrain", "--force", " ", *scene.settings()]) == FAILED
    assert "--force is empty: say why" in capsys.readouterr().err


def test_a_few_new_posters_are_looked_at_and_left(scene, capsys):
    scene.ingest(2)
    kept = len(scene.decisions())
    assert main(["retrain", "--dry-run", *scene.settings("retrain.min_new_posters=20")]) == OK
    assert len(scene.decisions()) == kept
    status, decision = scene.retrain()
    assert (status, _rule(decision)) == (SKIPPED, "too_little")
    looked_at = decision["inputs"]["embeddings"]
    assert looked_at["posters"] == next(
        span["examples"]["train"] for span in decision["inputs"]["window"] if span["number"] == 2
    )
    assert looked_at["reference"] > 100
    shown = capsys.readouterr().out
    assert "Retrain: no." in shown
    assert f"distance of {looked_at['posters']} new posters from those trained on" in shown


def test_of_two_at_once_one_runs_and_a_killed_one_leaves_nothing_wrong(scene, capsys):
    scene.ingest(3)
    before = scene.versions()
    command = ["retrain", *scene.settings("trainer.epochs=1000000")]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli.main", *command],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        seen = []
        for line in process.stdout:
            seen.append(line)
            if "epoch" in line:
                break
        assert process.poll() is None, "".join(seen)
        status, decision = scene.retrain()
        assert (status, _rule(decision)) == (SKIPPED, "run_under_way")
    finally:
        process.kill()
        process.communicate()
    killed = scene.decisions()[-2]
    assert (killed["verdict"], killed["outcome"]) == ("run", None)
    assert scene.versions() == before
    status, decision = scene.retrain()
    assert (status, _rule(decision)) == (OK, "new_posters")
    assert {span["number"] for span in decision["inputs"]["window"]} == {1, 2, 3}
    states = scene.states()
    assert {node for node, state in states.items() if state == "cached"} >= BEFORE_TRAINER
    assert states["Trainer"] == "run"
    assert len(scene.versions()) == len(before) + 1
    capsys.readouterr()
    assert main(["decisions", "--workspace", str(scene.workspace)]) == OK
    listed = capsys.readouterr().out
    for words in ("not known", "pushed", "a run is under way", "are new (spans 2, 3)"):
        assert words in listed


def test_data_that_the_gate_refuses_is_not_trained_on(scene, capsys):
    scene.ingest(4, label="Horror")
    before = scene.versions()
    status, decision = scene.retrain()
    assert (status, _rule(decision)) == (REFUSED, "new_posters")
    assert decision["outcome"]["status"] == "data refused"
    assert "[DRIFT]" in decision["outcome"]["error"]
    assert "exclude_spans: [4]" in capsys.readouterr().out
    runs = scene.runs()
    status, decision = scene.retrain("--force", "now")
    assert (status, decision["verdict"], _rule(decision)) == (REFUSED, "refuse", "data_gate")
    assert scene.runs() == runs
    assert scene.versions() == before
    status, decision = scene.retrain(exclude_spans="[4]")
    assert (status, _rule(decision)) == (SKIPPED, "nothing_new")
    accepting = ["retrain", "--dry-run", "--allow-anomalies", "all horror", *scene.settings()]
    assert main(accepting) == OK


def _run_scheduled(scene: Scene, name: str) -> dict[str, str]:
    """Runs the job that was compiled once, as a schedule does; the states of its tasks."""
    from pipeline.runners.kubeflow_local import run, spec
    from pipeline.runners.kubeflow_local.leaf import Places

    root = scene.root / "scheduled"
    places = Places(root, root / "logs" / name, name)
    reports = run.run(spec.read(scene.root / "job.json"), places, lambda *_: None, lambda _: None)
    return {report.id: report.state for report in reports}


def test_a_scheduled_job_decides_each_time(scene):
    """One job, compiled before there are new posters and sent twice: with them, and once more."""
    job, settings = scene.root / "job.json", scene.settings("exclude_spans=[4]")
    assert main(["compile", "--scheduled", "--out", str(job), *settings]) == OK
    scene.ingest(5)
    before = scene.versions()
    states = _run_scheduled(scene, "1")
    assert set(states.values()) == {"run"}
    assert {"ExampleGen", "Trainer", "Pusher", "RetrainOutcome"} < states.keys()
    decision = scene.decisions()[-1]
    assert [span["number"] for span in decision["inputs"]["window"]] == [1, 2, 3, 5]
    assert decision["outcome"]["status"] == "pushed"
    (new,) = set(scene.versions()) - set(before)
    description = scene.workspace / "models" / new / "assets.extra" / "model.json"
    trained_on = json.loads(description.read_text())["spans"]
    assert [span["number"] for span in trained_on] == [1, 2, 3, 5]
    states = _run_scheduled(scene, "2")
    assert states.pop("RetrainDecision") == "run"
    assert set(states.values()) == {"skipped"}
    assert _rule(scene.decisions()[-1]) == "nothing_new"
