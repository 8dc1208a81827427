"""What is done with models after their run, in a workspace of its own.

They are held back and pushed, asked where they come from, rolled back to, and cleaned up.
"""

import dataclasses
import fcntl
import json
import re
import signal
from pathlib import Path

import pytest

from pipeline import config as configuration
from pipeline.cli.main import FAILED, OK, REFUSED, main
from pipeline.history import executions, removal
from pipeline.metadata_store import place
from tests.crashing import CutOff, Verb

#: Small and quick; what comes out is no worse than the floor.
QUICK = ("trainer.epochs=4", "trainer.head.members=1", "serving_check.posters=2")
SECOND = (*QUICK, "trainer.seed=4", "push.approval=manual", "evaluator.max_macro_f1_drop=1",
          "evaluator.max_label_f1_drop=1")  # fmt: skip
THIRD = (*QUICK, "trainer.seed=5", "evaluator.min_macro_f1_lift=40")
TRAINED = ["Trainer", "Evaluator", "ServingCheck", "Pusher", "RunReport"]


@dataclasses.dataclass
class Workspace:
    """A workspace and its verbs."""

    root: Path
    data: Path
    capsys: pytest.CaptureFixture | None = None

    @property
    def models(self):
        return sorted(int(path.name) for path in (self.root / "models").iterdir())

    def settings(self, *overrides):
        given = [f"workspace={self.root}", f"data_root={self.data}", *overrides]
        return ["--config", "sample", *(f"--set={setting}" for setting in given)]

    def run(self, *overrides):
        status = main(["run", *self.settings(*overrides)])
        newest = max((self.root / "runs").iterdir())
        return status, json.loads((newest / "summary.json").read_text())

    def ask(self, *words, overrides=QUICK, status=OK):
        """What a verb prints, to the screen or as an error."""
        self.capsys.readouterr()
        assert main([*words, *self.settings(*overrides)]) == status
        shown = self.capsys.readouterr()
        return shown.err if status == FAILED else shown.out

    def list_runs(self):
        self.capsys.readouterr()
        assert main(["runs", "--workspace", str(self.root)]) == OK
        return " ".join(self.capsys.readouterr().out.split())

    def history(self):
        config = configuration.load("sample", [f"workspace={self.root}"])
        return executions.read(place.open_store(place.of(config)), config.name)


def _ran(summary):
    return [node["id"] for node in summary["nodes"] if node["state"] == "run"]


def _output(summary, node, key):
    (uri,) = next(each["outputs"][key] for each in summary["nodes"] if each["id"] == node)
    return uri


@pytest.fixture(scope="module")
def made(world, tmp_path_factory):
    """A workspace in which a first model was pushed and a second is held back, with summaries."""
    workspace = Workspace(tmp_path_factory.mktemp("history"), world.data)
    status, first = workspace.run(*QUICK)
    assert (status, first["status"]) == (OK, "pushed")
    status, second = workspace.run(*SECOND)
    assert (status, second["status"]) == (OK, "held")
    return workspace, first, second


@pytest.fixture
def workspace(made, capsys):
    found, *_ = made
    return dataclasses.replace(found, capsys=capsys)


def test_a_blessed_model_is_held_back_where_a_person_approves(made, workspace):
    _, first, second = made
    assert second["verdict"]["blessed"]
    assert second["pushed_path"] is None
    assert workspace.models == [int(Path(first["pushed_path"]).name)]
    assert second["served_version"] == first["served_version"]
    assert "held back" in workspace.list_runs()
    assert "was pushed to" in _refuse_push(workspace, first["run_id"])
    page = (workspace.root / "runs" / second["run_id"] / "report.html").read_text()
    assert "Blessed, held back" in page


def _refuse_push(workspace, run):
    return workspace.ask("push", run, "--reason", "because", status=FAILED)


def test_it_is_pushed_by_hand_once_and_stays_pushed(made, workspace):
    *_, second = made
    assert "--reason is empty" in workspace.ask(
        "push", second["run_id"], "--reason", " ", status=FAILED
    )
    shown = workspace.ask("push", second["run_id"], "--reason", "looks right", overrides=SECOND)
    assert f"Pushed to {workspace.root}/models/{workspace.models[-1]}" in shown
    assert len(workspace.models) == 2
    assert "was pushed by hand already" in _refuse_push(workspace, second["run_id"])
    status, again = workspace.run(*SECOND)
    assert (status, again["status"], _ran(again)) == (OK, "pushed", [])
    assert again["by_hand"]["reason"] == "looks right"
    assert len(workspace.models) == 2
    assert again["served_version"] == str(workspace.models[-1])
    assert (
        "Blessed, then pushed by hand"
        in (workspace.root / "runs" / again["run_id"] / "report.html").read_text()
    )


def test_lineage_says_what_made_the_model_that_serves(made, workspace):
    _, first, second = made
    found = json.loads(workspace.ask("lineage", "--json"))
    assert (found["version"], found["serves"]) == (str(workspace.models[-1]), True)
    assert found["model"]["uri"] == _output(second, "Trainer", "model")
    assert found["model"]["run"] == second["run_id"]
    assert [span["span"] for span in found["data"]["spans"]] == [1]
    assert found["settings"]["trainer"]["seed"] == 4
    assert found["baseline"]["uri"] == _output(first, "Trainer", "model")
    assert found["baseline"]["versions"] == [str(workspace.models[0])]
    assert found["verdict"]["blessed"]
    assert found["verdict"]["figures"]["macro_f1"] == pytest.approx(second["metrics"]["macro_f1"])
    assert set(found["code"]["fingerprints"]) >= {"Transform.code", "Trainer.fingerprints.code"}
    (push,) = found["pushes"]
    assert push["decision"]["reason"] == "looks right"
    titles = {node["title"] for node in found["graph"]["nodes"]}
    assert {"span 1", "DataGate", "Transform", "Trainer", "PushedByHand"} <= titles
    text = workspace.ask("lineage", str(workspace.models[0]))
    assert f"does not serve; {workspace.models[-1]} does" in text
    assert "none: nothing to compare with served then" in text


def test_lineage_of_a_poster(made, workspace):
    index = (workspace.data / "span-1" / "index.jsonl").read_text().splitlines()
    poster = next(entry for line in index if (entry := json.loads(line))["split"] == "test")
    found = json.loads(workspace.ask("lineage", poster["id"], "--json"))
    assert [(place["span"], place["split"]) for place in found["places"]] == [(1, "test")]
    assert [model["role"] for model in found["models"]] == ["measured on it"] * 2
    text = workspace.ask("lineage", poster["id"])
    assert f"{poster['id']} is in the test split of span 1" in text
    assert f"{workspace.models[-1]} (serves)" in text
    wrong = workspace.ask("lineage", "tt-nobody", status=FAILED)
    assert "tt-nobody is neither a version" in wrong


def _what_if(workspace, *changes, overrides=SECOND):
    words = [word for change in changes for word in ("--what-if", change)]
    found = json.loads(workspace.ask("lineage", "--json", *words, overrides=overrides))
    return {node["node"]: node for node in found["what_if"]["nodes"]}


def _would_run(nodes):
    return [name for name, node in nodes.items() if node["state"] == "run"]


def test_what_a_change_would_run_again_is_asked_of_the_cache(made, workspace):
    before = [len(workspace.history().runs), len(workspace.history().artifacts)]
    assert _would_run(_what_if(workspace, "now")) == []
    # The first model would now be compared with the one that serves.
    first = _what_if(workspace, "now", overrides=QUICK)
    assert _would_run(first) == TRAINED[1:]
    assert first["Evaluator"]["reasons"][0].startswith("baseline_model: nothing -> Model ")
    seed = _what_if(workspace, "trainer.seed=77")
    assert _would_run(seed) == TRAINED
    assert "custom_config.settings.seed: 4 -> 77" in seed["Trainer"]["reasons"]
    assert seed["Evaluator"]["reasons"][0] == "model of Trainer would be new"
    assert seed["Trainer"]["seconds"] > 0
    code = _what_if(workspace, "code=components.evaluator.bootstrap")
    assert _would_run(code) == TRAINED[1:]
    assert any("the code is another" in reason for reason in code["Evaluator"]["reasons"])
    data = _what_if(workspace, "data")
    assert _would_run(data) == [name for name in data if name not in _NOT_OF_DATA]
    assert [len(workspace.history().runs), len(workspace.history().artifacts)] == before
    for wrong, words in (
        ("trainer.sede=1", "trainer.sede: no such key"),
        ("code=components.nothing", "there is no package or module components.nothing"),
        ("seed", "--what-if seed: write KEY=VALUE"),
    ):
        assert words in workspace.ask("lineage", "--what-if", wrong, status=FAILED)


#: What new data run again is all but these.
_NOT_OF_DATA = ("ImportSchemaGen", "BaselineResolver")


def test_a_rollback_serves_the_old_model_under_a_higher_number(made, workspace):
    _, first, _ = made
    old, new = workspace.models
    for version, words in (
        (new, f"version {new} serves already"),
        (5, f"no version 5 was pushed to .*the last ones are {new}, {old}"),
    ):
        said = workspace.ask("rollback", str(version), "--reason", "why", status=FAILED)
        assert re.search(words, said)
    shown = workspace.ask("rollback", str(old), "--reason", "<b>sad</b> faces")
    *before, latest = workspace.models
    assert before == [old, new]
    assert f"version {old} serves again, as version {latest}; before it, {new} did" in shown
    served = workspace.root / "models"
    for name in ("saved_model.pb", "assets.extra/model.json"):
        assert (served / str(latest) / name).read_bytes() == (served / str(old) / name).read_bytes()
    said = workspace.ask("rollback", str(old), "--reason", "why", status=FAILED)
    assert f"version {old} is the same model as {latest}" in said
    assert f"again as {latest} (rolled back), serves" in workspace.list_runs()
    found = json.loads(workspace.ask("lineage", "--json"))
    assert found["model"]["uri"] == _output(first, "Trainer", "model")
    decisions = [push["decision"] for push in found["pushes"]]
    assert [decision and decision["kind"] for decision in decisions] == ["rollback", None]
    assert decisions[0]["overrides"] == str(new)


def test_the_page_of_a_lineage_shows_the_graph_and_escapes_what_people_wrote(made, workspace):
    page = workspace.root / "lineage.html"
    workspace.ask("lineage", "--html", str(page))
    content = page.read_text()
    assert content.count("<svg") == 1
    assert "&lt;b&gt;sad&lt;/b&gt; faces" in content
    assert "<b>sad" not in content
    assert "<script" not in content
    for title in ("span 1", "Transform", "RolledBack", f"version {workspace.models[-1]}"):
        assert title in content


def test_the_page_of_a_lineage_goes_without_the_evaluators_figures(made, workspace, tmp_path):
    evaluation = Path(_output(made[1], "Evaluator", "evaluation"))
    evaluation.rename(tmp_path / "away")
    try:
        workspace.ask("lineage", "--html", str(tmp_path / "page.html"))
    finally:
        (tmp_path / "away").rename(evaluation)
    assert "macro-F1 \N{EN DASH}" in (tmp_path / "page.html").read_text()


def test_after_a_rollback_nothing_is_pushed_for_nothing_and_the_old_model_is_the_baseline(
    made, workspace
):
    _, first, _ = made
    models = workspace.models
    status, again = workspace.run(*SECOND)
    assert (status, _ran(again)) == (OK, [])
    assert workspace.models == models
    assert again["served_version"] == str(models[-1])
    status, third = workspace.run(*THIRD)
    assert status == REFUSED
    assert _output(third, "BaselineResolver", "model") == _output(first, "Trainer", "model")


def test_what_is_removed_is_run_again_and_nothing_else(made, workspace, tmp_path):
    third = json.loads((max((workspace.root / "runs").iterdir()) / "summary.json").read_text())
    assert third["status"] == "refused"
    # It is not the last one any more.
    assert _ran(workspace.run(*SECOND)[1]) == []
    left = _leave(workspace)
    shown = workspace.ask("gc", "--keep", "1", "--dry-run")
    assert "Nothing was removed" in shown
    for words in ("Model +1 +[1-9]", "left by killed runs +3 ", "answers and embeddings .* go +3 "):
        assert re.search(words, shown), words
    gone = _planned(workspace)
    assert {Path(_output(third, node, key)) for node, key in _OWN} | left < gone
    before = _files(workspace)
    assert all(path.exists() for path in gone)
    # Within the first folder, and when several are gone.
    for files in (0, 12):
        killed = Verb(
            ["gc", "--keep", "1", *workspace.settings(*QUICK)],
            tmp_path / "gc.log",
            blow=CutOff(files),
        )
        status, printed = killed.wait()
        assert status == -signal.SIGKILL, printed
        states = {artifact.state for artifact in workspace.history().artifacts.values()}
        assert states == {"LIVE", "MARKED_FOR_DELETION"}
        assert _planned(workspace) <= gone
    assert any(path.exists() for path in gone)
    assert "Freed" in workspace.ask("gc", "--keep", "1")
    assert not any(path.exists() for path in gone)
    assert list((workspace.root / "answers" / "embeddings").iterdir()), "of the models that stay"
    assert _files(workspace) == {
        file for file in before if not any(file == path or path in file.parents for path in gone)
    }
    artifacts = workspace.history().artifacts.values()
    assert {artifact.type for artifact in artifacts if artifact.state == "DELETED"} == {
        "Model", "ModelRun", "ModelEvaluation", "ModelBlessing", "InfraBlessing", "PushedModel",
        "File",
    }  # fmt: skip
    assert all(Path(artifact.uri).exists() for artifact in artifacts if artifact.is_live)
    assert "Nothing to remove" in workspace.ask("gc", "--keep", "1")
    # Rollback and lineage still answer, and the kept run is cached whole.
    assert json.loads(workspace.ask("lineage", "--json"))["verdict"]["reasons"]
    assert _ran(workspace.run(*SECOND)[1]) == []
    nodes = _what_if(workspace, "now", overrides=THIRD)
    assert _would_run(nodes) == TRAINED
    status, again = workspace.run(*THIRD)
    assert status == REFUSED
    # The resolver makes nothing: it looked up a baseline for a model that was not there before.
    assert [node for node in _ran(again) if node != "BaselineResolver"] == TRAINED
    shown = workspace.ask("rollback", str(workspace.models[1]), "--reason", "after all")
    assert f"version {workspace.models[1]} serves again" in shown


#: Of what a run makes for itself.
_OWN = (("Trainer", "model"), ("RunReport", "report"))


def _leave(workspace):
    """What killed processes leave: of a push, of keeping answers, of the local Kubeflow runner."""
    root = workspace.root
    left = {
        root / "models" / ".push-99",
        root / "models" / ".restore-98",
        root / "kubeflow-local" / "posters-sample" / "artifacts" / "Trainer" / "1",
    }
    for folder in left:
        (folder / "model").mkdir(parents=True)
        (folder / "model" / "saved_model.pb").write_bytes(b"half")
    answers = root / "answers" / f".{'0f' * 16}.npz.abc"
    answers.write_bytes(b"half")
    embeddings = root / "answers" / "embeddings" / "of no model"
    embeddings.mkdir(parents=True)
    (embeddings / "part-1").write_bytes(b"some")
    return left | {answers, embeddings}


def _planned(workspace):
    overrides = [f"workspace={workspace.root}", f"data_root={workspace.data}"]
    config = configuration.load("sample", overrides)
    store = place.open_store(place.of(config))
    history = executions.read(store, config.name)
    return set(removal.plan(history, config, 1, store.get_artifacts()).paths)


def _files(workspace):
    folders = ("artifacts", "answers", "models", "runs", "gate", "kubeflow-local")
    return {
        path
        for folder in folders
        for path in (workspace.root / folder).rglob("*")
        if path.is_file()
    }


def test_a_run_under_way_is_waited_for(made, workspace):
    old = str(workspace.models[0])
    under_way = workspace.root / "models" / ".push-100"
    under_way.mkdir()
    with (workspace.root / "metadata.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for words in (["gc"], ["rollback", old, "--reason", "why"]):
            assert "another run is using" in workspace.ask(*words, status=FAILED)
    under_way.rmdir()  # it was left alone
    with pytest.raises(SystemExit):
        main(["gc", "--keep", "many"])
    assert "keep at least 1 run" in workspace.ask("gc", "--keep", "0", status=FAILED)
