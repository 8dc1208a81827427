"""`posters report`: the page of a run, made again if it is gone or old, and its model card."""

from __future__ import annotations

import argparse
import webbrowser

from components.errors import PostersError
from components.progress import CONSOLE
from components.report import page
from pipeline import run_page, runs
from pipeline.cli.main import OK


def run(options: argparse.Namespace) -> int:
    """Prints the path of the page, and opens it if asked to."""
    found = runs.find(options.workspace, options.run)
    if found.problem:
        raise PostersError(f"run {found.id} has no page: {found.problem}.")
    path = found.folder / page.FILE
    if not run_page.is_current(found.folder):
        run_page.write(found.folder)
    if options.card is not None:
        _write_card(found, options)
    if options.open and not webbrowser.open(path.resolve().as_uri()):
        raise PostersError(f"there is no browser here; the page is {path}")
    CONSOLE.print(str(path), markup=False)
    return OK


def _write_card(found: runs.Run, options: argparse.Namespace) -> None:
    try:
        run_page.write_card(found.folder, options.card)
    except OSError as error:
        raise PostersError(
            f"--card {options.card} cannot be written: {error.strerror or error}"
        ) from error
    CONSOLE.print(str(options.card), markup=False)
