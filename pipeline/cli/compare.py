"""`posters compare`: two runs side by side, label by label."""

from __future__ import annotations

import argparse

from rich.table import Table
from rich.text import Text

from components.errors import PostersError
from components.progress import CONSOLE
from components.report import words
from components.spans.words import ranges
from pipeline import comparison, runs
from pipeline.cli.main import OK
from pipeline.comparison import MACRO, Comparison

_FIGURES = (
    ("macro_f1", "macro-F1"),
    ("micro_f1", "micro-F1"),
    ("macro_auc", "macro AUC"),
    ("macro_average_precision", "mean average precision"),
)


def run(options: argparse.Namespace) -> int:
    """Shows both runs' figures, what they differ by, and the settings that differ."""
    first, second = (runs.find(options.workspace, word) for word in (options.first, options.second))
    for found in (first, second):
        if found.problem:
            raise PostersError(f"run {found.id} cannot be compared: {found.problem}.")
    compared = comparison.compare(first, second)
    CONSOLE.print(_overview(first, second))
    CONSOLE.print()
    _show_labels(compared)
    CONSOLE.print()
    if compared.settings:
        CONSOLE.print(_settings(compared))
    else:
        CONSOLE.print("All settings are the same.")
    return OK


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column(columns[0])
    for column in columns[1:]:
        table.add_column(column, justify="right")
    return table


def _overview(first: runs.Run, second: runs.Run) -> Table:
    table = _table("", "", "A", "B")
    pair = (first, second)
    table.add_row("run", *(found.id for found in pair))
    table.add_row("pipeline", *(Text(found.name) for found in pair))
    table.add_row("spans", *(ranges(found.spans) or words.NOTHING for found in pair))
    table.add_row("ended", *(found.status for found in pair))
    for key, name in _FIGURES:
        table.add_row(name, *(words.figure(found.figure(key)) for found in pair))
    return table


def _show_labels(compared: Comparison) -> None:
    if not compared.rows:
        CONSOLE.print("Neither run measured anything.")
        return
    table = _table("F1 by label", "label", "A", "B", "B less A", "95 %")
    for row in compared.rows:
        if row.label == MACRO:
            table.add_section()
        table.add_row(
            Text("mean of the common labels" if row.label == MACRO else row.label),
            words.figure(row.first),
            words.figure(row.second),
            words.signed(row.difference),
            Text(words.interval(row.interval), style=_tone(row.interval)),
        )
    CONSOLE.print(table)
    if compared.note:
        CONSOLE.print(f"There are no intervals: {compared.note}.", markup=False)
    else:
        CONSOLE.print(
            f"Both were measured on the same {compared.examples} examples; an interval that "
            "leaves out 0 is more than noise."
        )


def _tone(interval: tuple[float, float] | None) -> str:
    if interval is None or interval[0] <= 0 <= interval[1]:
        return ""
    return "green" if interval[0] > 0 else "red"


def _settings(compared: Comparison) -> Table:
    table = Table(title="Settings that differ", title_justify="left", box=None, pad_edge=False)
    for column in ("key", "A", "B"):
        table.add_column(column, overflow="fold")
    for key, *values in compared.settings:
        table.add_row(Text(key), *(Text(words.NOTHING if v is None else v) for v in values))
    return table
