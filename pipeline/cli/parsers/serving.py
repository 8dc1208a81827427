"""Answers from a pushed model."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.cli.parsers.shared import add_config


def add(verbs: argparse._SubParsersAction) -> None:
    """Adds the verbs of this group."""
    _add_predict(verbs)
    _add_serve(verbs)


def _add_predict(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("predict", help="labels and scores of images, from a pushed model")
    verb.add_argument(
        "images", nargs="+", type=Path, metavar="IMAGE", help="a file, or a folder of files"
    )
    verb.add_argument(
        "--model",
        type=Path,
        help="a pushed version, or a folder of versions (default: the newest below workspace/)",
    )
    verb.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_serve(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("serve", help="answer over HTTP, as TensorFlow Serving does")
    verb.add_argument(
        "--model",
        type=Path,
        metavar="DIR",
        help="a folder of versions, watched, or one version (default: what the runs of the "
        "configuration push)",
    )
    verb.add_argument(
        "--host", default="127.0.0.1", help="address to bind to (default: this machine alone)"
    )
    verb.add_argument("--port", type=int, default=8501, help="0 takes a free one (default: 8501)")
    verb.add_argument(
        "--token-file", type=Path, metavar="FILE", help="holds the token that clients must send"
    )
    add_config(verb, default="local")
