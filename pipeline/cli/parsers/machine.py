"""What is wrong with this machine."""

from __future__ import annotations

import argparse

from pipeline.cli.parsers.shared import add_config


def add(verbs: argparse._SubParsersAction) -> None:
    """Adds the verbs of this group."""
    _add_doctor(verbs)


def _add_doctor(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("doctor", help="say what is wrong with this environment")
    add_config(verb, default="local")
