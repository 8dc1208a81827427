"""What made the models, and what is done about them afterwards."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.cli.parsers.shared import add_config

_LINEAGE = """\
Says, from ML Metadata, what made a model: spans, schema, code, settings, features, baseline,
verdict and the pushes of it. Without a name, of the model that serves.

Named an id of a poster, it says in which span and split the poster is, and which models were
trained, calibrated or measured on it.

--what-if says what the next run would run again, and why, without running it: it builds the DAG
with the change and asks the cache node by node. KEY=VALUE changes a setting, code=PACKAGE, such as
code=components.trainer, the code of a package, `data` the data; `now` changes nothing, so that what
has changed since the last run shows: data that were ingested, code that was edited.
"""


def add(verbs: argparse._SubParsersAction) -> None:
    """Adds the verbs of this group."""
    _add_lineage(verbs)
    _add_push(verbs)
    _add_rollback(verbs)
    _add_gc(verbs)


def _add_lineage(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "lineage",
        help="what made the model that serves; what a change would run again",
        description=_LINEAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_argument(
        "name",
        nargs="?",
        metavar="VERSION|POSTER",
        help="a pushed version, or the id of a poster (default: the version that serves)",
    )
    verb.add_argument(
        "--what-if",
        action="append",
        default=[],
        metavar="CHANGE",
        help="KEY=VALUE, code=PACKAGE, data or now, see above; may be repeated",
    )
    verb.add_argument("--json", action="store_true", help="as JSON")
    verb.add_argument(
        "--html", type=Path, metavar="FILE", help="also write a page with the graph there"
    )
    add_config(verb, default="local")


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


def _add_gc(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "gc",
        help="remove artifacts that nothing needs",
        description="Removes the artifacts of refused and failed runs, what killed runs left, and "
        "features of posters that are in no span. It keeps all that was made for a model that "
        "serves, was pushed, was blessed, or is one of the last; and every span. ML Metadata is "
        "told first, so that no later run takes a missing file for a cached one. What is to be "
        "removed is shown first.",
    )
    verb.add_argument(
        "--keep",
        type=int,
        default=3,
        metavar="N",
        help="keep the last N runs and the last N models, whatever became of them (default: 3)",
    )
    verb.add_argument("--dry-run", action="store_true", help="only show what would be removed")
    add_config(verb, default="local")
