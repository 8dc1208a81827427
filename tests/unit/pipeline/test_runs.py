"""Runs as their folders tell of them, and the verbs that show them."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from components.errors import PostersError
from components.evaluator import predictions
from components.evaluator.predictions import Predictions
from components.progress import CONSOLE
from components.report import content, page
from pipeline import comparison, runs
from pipeline.cli import main

ROOT = Path(__file__).parents[3]
FIRST, SECOND = "20260101T000000.000001Z", "20260102T000000.000001Z"
LABELS = ("Drama", "War")


def _answers(seed=0, labels=LABELS, help=0.4):
    generator = np.random.default_rng(7)
    truth = generator.random((80, 2)) < 0.4
    noise = np.random.default_rng(seed).random((80, 2))
    scores = (help * truth + (1 - help) * noise).astype(np.float32)
    return Predictions(
        labels, np.array([f"tt{row:03}" for row in range(80)]), truth, scores, scores
    )


def _f1(answers):
    given = answers.scores > 0.5
    hits = (given & answers.truth).sum(axis=0)
    return 2 * hits / (given.sum(axis=0) + answers.truth.sum(axis=0))


def _write(workspace, run_id, answers=None, rate=0.001, **changes):
    """Writes a run's summary, and what its Evaluator left if there are answers."""
    folder = workspace / "runs" / run_id
    folder.mkdir(parents=True)
    nodes, figures = [], None
    if answers is not None:
        evaluation = workspace / "artifacts" / run_id
        evaluation.mkdir(parents=True)
        predictions.write(str(evaluation), answers)
        nodes = [{"id": "Evaluator", "outputs": {"evaluation": [str(evaluation)]}}]
        figures = {
            label: {"f1": float(f1)} for label, f1 in zip(answers.labels, _f1(answers), strict=True)
        }
    summary = {
        "format": 2,
        "run_id": run_id,
        "status": "pushed" if answers is not None else "failed",
        "error": None if answers is not None else "Trainer: the loss is not finite\nmore",
        "spans": [{"number": 1}, {"number": 3}],
        "nodes": nodes,
        "metrics": figures and {"macro_f1": float(np.mean(_f1(answers)))},
        "metrics_by_label": figures,
        "intervals": figures and {"macro_f1": [0.3, 0.41]},
        "pushed_path": "/models/1700000000" if answers is not None else None,
        "config": {"name": "posters", "trainer": {"learning_rate": rate, "seed": 0}},
        **changes,
    }
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def _show(capsys, *arguments):
    status = main.main(list(arguments))
    shown = capsys.readouterr()
    assert "Traceback" not in shown.out + shown.err
    return status, shown.out, shown.err


def test_runs_are_listed_newest_first_with_what_became_of_them(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(CONSOLE, "width", 200)
    answers = _answers()
    _write(tmp_path / "one", FIRST, answers)
    _write(tmp_path / "two", SECOND)
    third = _write(tmp_path / "two", "20260103T000000.000001Z", answers, status="refused")
    (third.parent / "20260104T000000.000001Z").mkdir()
    half = _write(tmp_path / "two", "20260105T000000.000001Z")
    (half / "summary.json").write_text('{"format": 1, "status"')
    _write(tmp_path / "two", "20260106T000000.000001Z", format=99)
    (third.parent / "notes").mkdir()
    assert [run.id[:8] for run in runs.find_all(tmp_path)] == [
        "20260106", "20260105", "20260104", "20260103", "20260102", "20260101",
    ]  # fmt: skip
    status, out, _ = _show(capsys, "runs", "--workspace", str(tmp_path))
    assert status == main.OK
    lines = out.splitlines()
    for line, words in zip(
        lines[1:],
        [
            ["its summary has format 99, not 2"],
            ["its summary cannot be read"],
            ["it left no summary: it was killed, or is still running"],
            ["spans 1, 3", "0.300 to 0.410", "refused"],
            ["posters", "failed: Trainer: the loss is not finite"],
            [f"{np.mean(_f1(answers)):.3f}", "pushed as 1700000000", "2026-01-01 00:00"],
        ],
        strict=True,
    ):
        for word in words:
            assert word in line


def test_where_there_is_no_run_it_says_what_to_do(tmp_path, capsys):
    status, _, error = _show(capsys, "runs", "--workspace", str(tmp_path))
    assert status == main.FAILED
    assert "posters run" in error and "--workspace" in error and str(tmp_path) in error


def test_a_run_is_found_by_its_beginning_its_folder_or_as_the_newest(tmp_path):
    first, second = _write(tmp_path, FIRST), _write(tmp_path, SECOND)
    assert runs.find(tmp_path, None).folder == second
    assert runs.find(tmp_path, "20260101").folder == first
    assert runs.find(tmp_path / "nowhere", str(first)).id == FIRST
    with pytest.raises(PostersError, match="2 runs begin with 2026: 20260102"):
        runs.find(tmp_path, "2026")
    with pytest.raises(PostersError, match=r"called 1999; the newest are 20260102.*posters runs"):
        runs.find(tmp_path, "1999")


def test_on_the_same_examples_the_difference_has_a_paired_interval(tmp_path):
    weak, strong = _answers(1, help=0.15), _answers(1, help=0.45)
    _write(tmp_path, FIRST, weak)
    _write(tmp_path, SECOND, strong, rate=0.01)
    first, second = runs.find(tmp_path, FIRST), runs.find(tmp_path, SECOND)
    found = comparison.compare(first, second)
    assert [row.label for row in found.rows] == [*LABELS, comparison.MACRO]
    assert (found.examples, found.note) == (80, None)
    for row, difference in zip(
        found.rows, [*(_f1(strong) - _f1(weak)), np.mean(_f1(strong) - _f1(weak))], strict=True
    ):
        assert row.difference == pytest.approx(difference)
        low, high = row.interval
        assert 0 < low < difference < high
    assert found.settings == (("trainer.learning_rate", "0.001", "0.01"),)
    same = comparison.compare(first, first)
    assert {row.difference for row in same.rows} == {0}
    assert {row.interval for row in same.rows} == {(0, 0)}
    assert same.settings == ()


def test_labels_are_matched_by_name_and_those_of_one_run_alone_are_shown(tmp_path):
    answers = _answers(1)
    other = dataclasses.replace(
        answers,
        labels=("War", "News"),
        truth=answers.truth[:, ::-1],
        scores=answers.scores[:, ::-1],
    )
    _write(tmp_path, FIRST, answers)
    _write(tmp_path, SECOND, other)
    found = comparison.compare(runs.find(tmp_path, FIRST), runs.find(tmp_path, SECOND))
    assert [(row.label, row.difference) for row in found.rows] == [
        ("Drama", None), ("War", 0), ("News", None), (comparison.MACRO, 0),
    ]  # fmt: skip
    assert found.note is None


def _other_examples(answers):
    return dataclasses.replace(answers, ids=np.array([f"nm{row}" for row in range(80)]))


def _other_truth(answers):
    return dataclasses.replace(answers, truth=~answers.truth)


def _no_numbers(answers):
    return dataclasses.replace(answers, scores=np.full_like(answers.scores, np.nan))


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (_other_examples, "they were measured on different examples"),
        (_other_truth, "the same examples have different labels"),
        (_no_numbers, "some scores are not numbers"),
        (lambda _: None, "measured nothing"),
    ],
)
def test_why_there_is_no_interval_is_said(tmp_path, change, note, capsys):
    _write(tmp_path, FIRST, _answers())
    _write(tmp_path, SECOND, change(_answers()))
    _, out, _ = _show(capsys, "compare", FIRST, SECOND, "--workspace", str(tmp_path))
    assert "There are no intervals: " in out and note in " ".join(out.split())


def test_answers_that_were_removed_are_said_to_be_gone(tmp_path):
    _write(tmp_path, FIRST, _answers())
    (tmp_path / "artifacts" / FIRST / predictions.FILE).unlink()
    run = runs.find(tmp_path, FIRST)
    assert "no longer there" in comparison.compare(run, run).note


def test_compare_shows_both_runs_and_refuses_what_left_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(CONSOLE, "width", 200)
    _write(tmp_path, FIRST, _answers(1, help=0.1))
    _write(tmp_path, SECOND, _answers(1), rate=0.01)
    status, out, _ = _show(capsys, "compare", FIRST, SECOND, "--workspace", str(tmp_path))
    assert status == main.OK
    for word in ["the same 80 examples", "B less A", "trainer.learning_rate", "0.001", "macro-F1"]:
        assert word in out
    (tmp_path / "runs" / SECOND / "summary.json").unlink()
    status, _, error = _show(capsys, "compare", FIRST, SECOND, "--workspace", str(tmp_path))
    assert status == main.FAILED
    assert f"run {SECOND} cannot be compared: it left no summary" in error


def _content():
    return {
        "format": content.FORMAT, "written": "2026-01-01T00:00:00+00:00", "name": "posters",
        "spans": "span 3", "labels": ["Drama"], "settings": {"name": "posters"}, "evaluation": None,
        "training": None, "pushed_to": None, "missing": ["There is no model."],
        "code": {"version": "1", "fingerprints": {}, "libraries": {"tfx": "1", "tensorflow": "2"}},
        "data": {
            "root": "/data", "spans": [], "features": None, "gate": None,
            "lists": {"rejected": {}, "rejects": {}, "dropped": {}},
        },
    }  # fmt: skip


@pytest.mark.parametrize("place", ["the run's own folder", "RunReport's"])
def test_a_page_that_is_gone_is_made_again(tmp_path, capsys, place):
    kept = tmp_path / "artifacts" / "RunReport"
    node = {
        "id": "RunReport", "outputs": {"report": [str(kept)]}, "state": "run", "seconds": 1.0,
        "peak_memory_bytes": 1,
    }  # fmt: skip
    times = {"seconds": 1.0, "import_seconds": 1.0, "peak_memory_bytes": 1}
    folder = _write(tmp_path, FIRST, nodes=[node], **times)
    content.write(str(folder if place.startswith("the") else kept), _content())
    card = tmp_path / "cards" / "card.md"
    arguments = ("report", "2026", "--workspace", str(tmp_path))
    status, out, _ = _show(capsys, *arguments, "--card", str(card))
    assert status == main.OK
    assert out.splitlines()[-1] == str(folder / page.FILE)
    assert "the loss is not finite" in (folder / page.FILE).read_text()
    assert card.read_text().startswith("# Model card: posters")
    (folder / page.FILE).write_text("as it was")
    assert _show(capsys, *arguments)[0] == main.OK
    assert (folder / page.FILE).read_text() == "as it was"
    # As `posters bless` does.
    later = (folder / page.FILE).stat().st_mtime + 5
    os.utime(folder / "summary.json", (later, later))
    assert _show(capsys, *arguments)[0] == main.OK
    assert "the loss is not finite" in (folder / page.FILE).read_text()


def test_a_run_without_a_page_says_why(tmp_path, capsys):
    _write(tmp_path, FIRST)
    status, _, error = _show(capsys, "report", "--workspace", str(tmp_path))
    assert status == main.FAILED
    assert "was not kept" in error
    (tmp_path / "runs" / FIRST / "summary.json").unlink()
    status, _, error = _show(capsys, "report", "--workspace", str(tmp_path))
    assert status == main.FAILED
    assert "has no page: it left no summary" in error


def test_a_card_that_cannot_be_written_is_an_error(tmp_path, capsys):
    folder = _write(tmp_path, FIRST, seconds=1.0, import_seconds=1.0, peak_memory_bytes=1)
    content.write(str(folder), _content())
    (tmp_path / "file").write_text("")
    target = tmp_path / "file" / "card.md"
    status, _, error = _show(capsys, "report", "--workspace", str(tmp_path), "--card", str(target))
    assert status == main.FAILED
    assert f"--card {target} cannot be written" in error


def test_none_of_these_verbs_loads_tensorflow(tmp_path):
    folder = _write(tmp_path, FIRST, _answers(), seconds=1.0, import_seconds=1.0,
                    peak_memory_bytes=1, nodes=[])  # fmt: skip
    content.write(str(folder), _content())
    script = (
        "import sys\n"
        "from pipeline.cli.main import main\n"
        f"for verb in (['runs'], ['compare', {FIRST!r}, {FIRST!r}], ['report']):\n"
        f"    assert main([*verb, '--workspace', {str(tmp_path)!r}]) == 0\n"
        "heavy = ('tensorflow', 'tfx', 'apache_beam', 'matplotlib', 'pydantic')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
