"""`posters export`: the pushed model for TensorFlow Lite, if it still is as good."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from components.progress import CONSOLE, progress
from pipeline import config as configuration
from pipeline.cli.main import OK, REFUSED
from pipeline.cli.predict import last_pushed

if TYPE_CHECKING:
    from components.tflite.parity import Parity
    from pipeline.windows import Window

_TEST = "test"


def run(options: argparse.Namespace) -> int:
    """Converts and compares; exits with 3 if the result is refused."""
    config = configuration.load(options.config, options.overrides)
    from components.serving.predictor import version_in
    from components.tflite.export import RefusedError, export
    from pipeline import windows

    model = version_in(options.model or last_pushed(Path("workspace")))
    window = windows.resolve(config, options.data)
    try:
        with progress("examples") as update:
            made = export(
                model,
                options.out,
                options.quantization,
                _records(window),
                options.max_f1_drop,
                lambda done: update(done, "compared"),
            )
    except RefusedError as error:
        print(f"posters: refused: {error}", file=sys.stderr)
        return REFUSED
    found = made.parity
    CONSOLE.print(f"{options.out}: model.tflite, {made.model_bytes / 1e6:.1f} MB", markup=False)
    CONSOLE.print(
        f"  on {found.examples} examples of test: macro-F1 {found.lite_macro_f1:.4f}, of the "
        f"SavedModel {found.macro_f1:.4f}; scores differ by {found.mean_difference:.4f}, at most "
        f"{found.largest_difference:.4f}; {found.same_decisions:.2%} of the decisions are the same"
    )
    CONSOLE.print(f"  {_bound(found)}")
    return OK


def _bound(found: Parity) -> str:
    """Says whether the scores keep the bound, and if not what may help."""
    from components.tflite.parity import SCORE_BOUND

    if found.within_bound:
        return f"every score is within {SCORE_BOUND:g} of the SavedModel's"
    return (
        f"not every score is within {SCORE_BOUND:g} of the SavedModel's; of the two forms, "
        "--quantization float16 is the nearer"
    )


def _records(window: Window) -> Iterator[bytes]:
    """The examples of the test split.

    Raises:
      PostersError: a file is damaged.
    """
    from components import record_files

    for span in window.spans:
        for path in sorted((span.folder / _TEST).glob("*.tfrecord")):
            yield from (record for record, _ in record_files.examples(str(path)))
