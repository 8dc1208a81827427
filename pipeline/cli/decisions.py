"""`posters decisions`: what `posters retrain` decided, why, and what came of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.table import Table
from rich.text import Text

from components.errors import PostersError
from components.progress import CONSOLE
from components.report import words
from components.retraining import records
from components.retraining.records import Record
from pipeline.cli.main import OK

_STYLES = {"pushed": "green", "refused": "red", "data refused": "red", "failed": "yellow"}


def run(options: argparse.Namespace) -> int:
    """Lists the decisions of a workspace, the newest first."""
    workspace: Path = options.workspace
    folders = [workspace / records.FOLDER, *sorted(workspace.glob(f"*/{records.FOLDER}"))]
    found = [record for folder in folders for record in records.read_all(folder)]
    if not found:
        raise PostersError(
            f"there is no decision below {workspace.resolve()}: run `posters retrain` first, or "
            "name the configuration's workspace with --workspace."
        )
    found.sort(key=lambda record: record.id, reverse=True)
    if options.json:
        for record in found:
            print(json.dumps(record.to_json(), ensure_ascii=False))
        return OK
    table = Table(box=None, pad_edge=False)
    for column in ("when (UTC)", "decision", "came to"):
        table.add_column(column, no_wrap=True)
    table.add_column("because", overflow="fold")
    for record in found:
        outcome = _outcome(record)
        table.add_row(
            words.moment(record.id).removesuffix(" UTC"),
            record.verdict,
            Text(outcome, style=_STYLES.get(outcome, "")),
            Text(record.sentence),
        )
    CONSOLE.print(table)
    return OK


def _outcome(record: Record) -> str:
    if record.outcome:
        return record.outcome.status
    return "not known" if record.verdict == "run" else words.NOTHING
