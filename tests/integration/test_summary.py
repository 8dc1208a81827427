"""What a run prints and writes at its end."""

import argparse
import dataclasses
import json
import types

from rich.console import Console

from components.errors import PostersError
from components.evaluator.verdict import Rule
from pipeline import config as configuration
from pipeline import outcome
from pipeline.cli import run
from pipeline.cli.main import FAILED
from pipeline.summary import RunSummary
from tests import reports

LABELS = ("Drama", "Comedy [/UK]", "[bold]")
RULE = Rule("label_fall", False, "F1 of Comedy [/UK] fell", label="Comedy [/UK]")


def test_square_brackets_in_labels_reasons_and_paths_are_shown():
    verdict = dataclasses.replace(
        reports.judge(reports.predict(labels=LABELS)), rules=(RULE,), blessed=False
    )
    summary = RunSummary("run", {}, [], LABELS, 0, [], verdict=verdict, pushed="/[prod]/models/1")
    console = Console(width=150, record=True)
    summary.show(console)
    text = console.export_text()
    for words in (*LABELS, f"  - {RULE.sentence}\n", "Pushed to /[prod]/models/1\n"):
        assert words in text


def test_a_run_whose_decisions_cannot_be_read_is_there_all_the_same(tmp_path, monkeypatch):
    config = configuration.load("sample", [f"workspace={tmp_path}", f"data_root={tmp_path}/data"])

    def locked(*_):
        raise PostersError("metadata.sqlite is locked")

    monkeypatch.setitem(run._RUNNERS, "local", lambda *_: [])
    monkeypatch.setattr(outcome, "evaluation", lambda _: (reports.judge(reports.predict()), None))
    monkeypatch.setattr(outcome, "is_held", lambda _: True)
    monkeypatch.setattr(outcome, "by_hand", locked)
    monkeypatch.setattr(run, "_write_page", lambda *_: None)
    window = types.SimpleNamespace(labels=("Drama",), spans=(), brief=lambda: [])
    options = argparse.Namespace(config="sample", overrides=[])
    summary, status = run.perform(config, window, options)
    assert (status, summary.error) == (FAILED, "metadata.sqlite is locked")
    (folder,) = (tmp_path / "runs").iterdir()
    assert json.loads((folder / "summary.json").read_text())["error"] == summary.error
    assert (folder / "run.log").is_file()
