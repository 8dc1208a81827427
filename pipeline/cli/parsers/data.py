"""What goes into a run: the sample, ingest, what is in a data set, its schema."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from pipeline.cli.parsers.shared import add_config, data_path


def add(verbs: argparse._SubParsersAction) -> None:
    """Adds the verbs of this group."""
    _add_sample(verbs)
    _add_ingest(verbs)
    _add_data(verbs)
    _add_schema(verbs)


def _add_sample(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("sample", help="draw a sample data set of posters, always the same one")
    verb.add_argument("--out", type=Path, required=True, help="folder to write it to")
    verb.add_argument("--count", type=int, default=800, help="how many posters (default: 800)")
    verb.add_argument("--seed", type=int, default=2024, help="another seed, other posters")


def _add_ingest(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("ingest", help="turn a table and images into a span of examples")
    table = verb.add_mutually_exclusive_group(required=True)
    table.add_argument("--csv", metavar="FILE", help="table with ids and labels")
    table.add_argument("--jsonl", metavar="FILE", help="the same as JSON Lines, one object an id")
    verb.add_argument(
        "--images",
        metavar="FOLDER",
        help="folder with <id>.jpg and the like; not needed if ingest.url_column names addresses",
    )
    verb.add_argument(
        "--out",
        type=data_path,
        required=True,
        help="data root to write the span into: a folder, or gs://... and the like",
    )
    verb.add_argument(
        "--span", type=int, metavar="N", help="number of the span (default: the next)"
    )
    verb.add_argument(
        "--date",
        type=_date,
        metavar="YYYY-MM-DD",
        help="day that the source is of, for windows of dates (default: today)",
    )
    verb.add_argument(
        "--grow-vocabulary",
        action="store_true",
        help="take in labels that reach ingest.min_label_count over all spans; for one ingest what "
        "ingest.grow_vocabulary is for all",
    )
    add_config(verb, default="local")


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no date such as 2026-01-31") from error


def _add_data(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("data", help="show what is in a data set: counts, labels, pictures")
    verb.add_argument(
        "--data-root", type=data_path, help="where the spans lie, or one span's folder"
    )
    verb.add_argument("--span", type=int, help="number of the span (default: the newest)")
    verb.add_argument("--html", type=Path, metavar="FILE", help="also write one page with pictures")
    add_config(verb, default="local")


def _add_schema(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("schema", help="draft a schema from data, or compare two")
    actions = verb.add_subparsers(dest="action", required=True, metavar="ACTION")
    infer = actions.add_parser("infer", help="write a draft of a schema that data satisfies")
    infer.add_argument(
        "--data", type=data_path, required=True, help="where the spans lie, or one span's folder"
    )
    infer.add_argument("--out", type=Path, metavar="FILE", help="write it here, not to the screen")
    add_config(infer, default="local")
    diff = actions.add_parser("diff", help="say what differs; exits with 1 if something does")
    diff.add_argument("first", type=Path, metavar="A", help="a schema")
    diff.add_argument(
        "second", nargs="?", type=data_path, metavar="B",
        help="another schema, or a folder of data (default: the schema that runs use)",
    )  # fmt: skip
    add_config(diff, default="local")
