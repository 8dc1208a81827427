import json
from pathlib import Path

import pytest

from components.evaluator import known_answers
from pipeline import config as configuration
from pipeline.history import leftovers
from pipeline.history.executions import Execution, Executions, Run
from pipeline.runners.kubeflow_local.artifacts import Values
from pipeline.runners.kubeflow_local.store import open_store


@pytest.fixture
def config(tmp_path):
    return configuration.load("sample", [f"workspace={tmp_path}"])


def _write(path, content="x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def _model(folder, content):
    _write(folder / "Format-Serving" / "saved_model.pb", content)
    return folder


def _examples(folder, content):
    _write(folder / "Split-test" / "data-00000-of-00001.tfrecord", content)
    return folder


def _answers(config, model, examples):
    digest = known_answers.examples_digest([str(examples / "Split-test")])
    name = known_answers.name(str(model), digest)
    return _write(Path(config.workspace) / "answers" / name)


def test_answers_stay_while_model_and_examples_do(config, tmp_path):
    first, second = (_model(tmp_path / "a" / name, name) for name in ("1", "2"))
    old, new = (_examples(tmp_path / "b" / name, name) for name in ("1", "2"))
    files = {
        (model, examples): _answers(config, model, examples)
        for model in (first, second)
        for examples in (old, new)
    }

    def unneeded(models, examples):
        return set(leftovers.answers(config, map(str, models), map(str, examples), []))

    assert unneeded([first, second], [old, new]) == set()
    assert unneeded([first, second, tmp_path / "gone"], [new]) == {
        files[first, old],
        files[second, old],
    }
    assert unneeded([second], [old, new]) == {files[first, old], files[first, new]}
    assert unneeded([], []) == set(files.values())
    # The same content under another address is the same model.
    same = _model(tmp_path / "c", "1")
    assert unneeded([same], [old, new]) == {files[second, old], files[second, new]}


def test_half_written_answers_go_and_what_is_no_answer_stays(config, tmp_path):
    half = _write(tmp_path / "answers" / f".{'ab' * 16}.npz.x1y2z3")
    for name in ("notes.txt", "mine.npz", f".{'ab' * 16}.npz", f"{'ab' * 16}.npz.bak"):
        _write(tmp_path / "answers" / name)
    assert leftovers.answers(config, [], [], []) == [half]


def test_answers_of_what_the_local_kubeflow_runner_made_stay_with_it(config, tmp_path):
    root = tmp_path / "kubeflow-local" / "posters" / "artifacts"
    model = _model(root / "Trainer" / "1" / "model", "1")
    examples = _examples(root / "ExampleGen" / "1" / "examples", "1")
    file = _answers(config, model, examples)
    assert leftovers.answers(config, [], [], []) == []
    assert leftovers.answers(config, [], [], [root / "Trainer" / "1"]) == [file]


def test_embeddings_stay_while_a_model_with_that_extractor_does(config, tmp_path):
    model = _model(tmp_path / "model", "1")
    description = {"labels": [], "embedding_fingerprint": "ab12"}
    _write(model / "Format-Serving" / "assets.extra" / "model.json", json.dumps(description))
    kept, gone = (tmp_path / "answers" / "embeddings" / name for name in ("ab12", "cd34"))
    for folder in (kept, gone):
        _write(folder / "part-1")
    without = _model(tmp_path / "other", "2")
    assert leftovers.answers(config, [str(model), str(without)], [], []) == [gone]
    assert leftovers.answers(config, [str(without)], [], []) == [kept, gone]


def _killed(history, config, uris=()):
    return set(leftovers.of_killed_runs(history, config, set(uris)))


def test_pushes_and_executions_that_were_cut_off(config, tmp_path):
    execution = Execution(7, "Trainer", "run", "RUNNING", 1, 1.0, {}, {}, {})
    history = Executions([Run("run", {}, [execution])], {})
    artifacts = tmp_path / "artifacts"
    for path in ("Trainer/model/7/a", "Trainer/model/8/a", "Pusher/pushed_model/7/a"):
        _write(artifacts / path)
    models = tmp_path / "models"
    for name in (".push-9", ".restore-1795487418", "1795487418", "notes"):
        _write(models / name / "saved_model.pb")
    pushes = {models / ".push-9", models / ".restore-1795487418"}
    trained = artifacts / "Trainer" / "model" / "7"
    assert _killed(history, config) == {trained, *pushes}
    assert _killed(history, config, [str(trained)]) == pushes


def test_tasks_of_the_local_kubeflow_runner_that_were_not_written_down(config, tmp_path):
    nothing = Executions([], {})
    root = tmp_path / "kubeflow-local" / "posters"
    done, begun = (root / "artifacts" / "Trainer" / name for name in ("1", "2"))
    for folder in (done, begun):
        _write(folder / "model" / "a")
    assert _killed(nothing, config) == {done, begun}, "nothing is remembered"
    with open_store(root / "state.sqlite") as store:
        store.record("Trainer", Values(), "fingerprint", done)
    assert _killed(nothing, config) == {begun}
    assert done.exists()
    assert begun.exists()
