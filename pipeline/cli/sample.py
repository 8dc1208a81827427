"""`posters sample`: draws a data set."""

from __future__ import annotations

import argparse

from components.errors import PostersError
from components.progress import CONSOLE, progress
from components.sample import write_sample


def run(options: argparse.Namespace) -> int:
    """Draws the sample, unless it is already there."""
    if options.count < 1:
        raise PostersError(f"--count {options.count}: draw at least one poster")
    with progress("posters drawn", total=options.count) as update:
        write_sample(
            options.out,
            count=options.count,
            seed=options.seed,
            progress=lambda done, total: update(done, ""),
        )
    CONSOLE.print(f"{options.count} posters in {options.out}", markup=False)
    return 0
