"""What a run prints at its end, read as it is written."""

import dataclasses

from rich.console import Console

from components.evaluator.verdict import Rule
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
