"""What made the models, and what is done about them afterwards."""

from __future__ import annotations

import argparse
from pipeline.cli.parsers.shared import add_config

def add(verbs: argparse._SubParsersAction) -> None:
    """Adds the verbs of this group."""
    _add_push(verbs)
    _add_rollback(verbs)


def _add_push(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "push",
        help="push a blessed model that was held back, on the record",
        description="Pushes the model of a run that blessed it and held it back, as the setting "
        "push.approval=manual asks for. Who, when and why is kept in ML Metadata and in the run's "
        "summary.json.",
    )
    verb.add_argument("run", metavar="RUN", help="the run, by the name that `posters run` prints")
    verb.add_argument("--reason", required=True, help="why, in a sentence")
    add_config(verb, default="local")


def _add_rollback(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "rollback",
        help="make an earlier version serve again, on the record",
        description="Publishes the model of an earlier version anew, under a higher number: a "
        "model server only ever goes forward, and takes it up by itself. Who, when and why is kept "
        "in ML Metadata. The next run compares its model with this one.",
    )
    verb.add_argument("version", metavar="VERSION", help="an earlier version, as in models/")
    verb.add_argument("--reason", required=True, help="why, in a sentence")
    add_config(verb, default="local")
