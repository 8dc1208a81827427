"""Where TFX, TensorFlow and Beam talk to: a file, so that a person can read the screen."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def to_file(path: Path) -> Iterator[None]:
    """Sends everything written to standard error, native code's messages too, to a file.

    Standard output stays as it is; what is meant for a person goes there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    screen = os.dup(2)
    with path.open("ab", buffering=0) as file, warnings.catch_warnings():
        os.dup2(file.fileno(), 2)
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        # A line a type hint, hundreds a node, that say nothing.
        logging.getLogger("apache_beam.typehints").setLevel(logging.WARNING)
        logging.captureWarnings(True)
        warnings.simplefilter("default")
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            os.close(screen)
            root.removeHandler(handler)
            root.setLevel(level)
            logging.captureWarnings(False)
