"""`posters data`: what is in a data set, as text and as one page."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from components.errors import PostersError
from components.files import write_text
from components.progress import CONSOLE, progress
from pipeline import config as configuration
from pipeline import data
from pipeline.cli.main import OK


def run(options: argparse.Namespace) -> int:
    """Reads one span and shows it."""
    overrides = list(options.overrides)
    config = configuration.load(options.config, overrides)
    number, folder = data.find_folder(config, options.data_root, options.span)
    from components.dataset import facts, text

    with progress("examples read") as update:
        found = facts.read(
            folder, number, data.SPLITS, config.features, lambda count: update(count, "")
        )
    text.show(found, CONSOLE)
    if options.html:
        _write(options.html, found)
    return OK


def _write(path: Path, found) -> None:
    from components.dataset import page

    content = page.render(found, datetime.date.today())
    try:
        write_text(path, content)
    except OSError as error:
        raise PostersError(f"--html {path} cannot be written: {error.strerror or error}") from error
    CONSOLE.print(f"\n{path}: {len(content.encode()) / 1e6:.1f} MB", markup=False)
