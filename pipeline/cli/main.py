"""The `posters` command: words to verbs, and errors to words.

Only the standard library is imported here: TensorFlow and TFX take seconds to load, so each verb
loads what it needs when it runs.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from pipeline import __version__, ending
from pipeline.cli.parsers import clusters, data, history, machine, runs, schedules, serving

#: What `posters` exits with; README.md says the same.
OK, FAILED, USAGE, REFUSED, SKIPPED, INTERRUPTED = 0, 1, 2, 3, 4, 130


def command() -> NoReturn:
    """Runs one verb as the process's own, and ends the process with its status."""
    ending.end(main())


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb.

    Returns:
      The exit status: 0 done, 1 failed, 2 wrong usage, 3 the model or the data was refused, 4 there
      was nothing to do, 130 interrupted.
    """
    options = _parser().parse_args(arguments)
    # Native start-up chatter of TensorFlow; a person who wants it sets the variable.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Google's client libraries, which TFX brings, announce the end of Python 3.10 in every process.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")
    from components.errors import PostersError

    try:
        verb = importlib.import_module(f"pipeline.cli.{options.verb}")
        return verb.run(options)
    except PostersError as error:
        print(f"posters: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:
        where = f" {error.filename}:" if error.filename else ""
        print(f"posters:{where} {error.strerror or error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("posters: interrupted", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="posters",
        description="Multi-label image classification on TFX: film genres from posters.",
    )
    parser.add_argument("--version", action="version", version=f"posters {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for group in (data, runs, history, clusters, schedules, serving, machine):
        group.add(verbs)
    return parser


if __name__ == "__main__":
    command()
