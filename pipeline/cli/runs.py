"""`posters runs`: what was run, and what came of it."""

from __future__ import annotations

import argparse

from rich.table import Table
from rich.text import Text

from components.progress import CONSOLE
from components.report import words
from components.spans.words import in_words
from pipeline import runs
from pipeline.cli.main import OK

_STYLES = {"pushed": "green", "refused": "red", "failed": "yellow", "unknown": "yellow"}


def run(options: argparse.Namespace) -> int:
    """Lists the runs of a workspace, the newest first."""
    found = runs.find_all(options.workspace)
    # One workspace is one pipeline's.
    several = len({run.name for run in found}) > 1
    table = Table(box=None, pad_edge=False)
    for column in ("run", "when (UTC)", *(["pipeline"] if several else []), "data"):
        table.add_column(column, no_wrap=True)
    table.add_column("macro-F1", justify="right", no_wrap=True)
    table.add_column("95 %", no_wrap=True)
    table.add_column("ended", overflow="fold")
    for each in found:
        table.add_row(
            each.id,
            words.moment(each.id).removesuffix(" UTC"),
            *([Text(each.name)] if several else []),
            _data(each),
            words.figure(each.figure("macro_f1")),
            words.interval(each.interval("macro_f1")),
            Text(_ended(each), style=_STYLES.get(each.status, "")),
        )
    CONSOLE.print(table)
    return OK


def _data(found: runs.Run) -> str:
    spans = found.spans
    return in_words(spans) if spans else words.NOTHING


def _ended(found: runs.Run) -> str:
    if found.problem:
        return found.problem
    if found.status == "failed":
        first = (found.summary.get("error") or "it says nothing of why").split("\n")[0]
        return f"failed: {first}"
    if found.status == "held":
        return "blessed, held back: posters push"
    if found.status != "pushed":
        return found.status
    if not found.versions:
        return "blessed, not pushed"
    first, *again = found.versions
    words = [f"pushed as {first}", *(["by hand"] if found.summary.get("by_hand") else [])]
    words += [f"again as {version} (rolled back)" for version in again]
    return ", ".join([*words, *(["serves"] if found.serves else [])])
