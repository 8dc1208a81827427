"""Jobs for Kubeflow and Vertex AI."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.cli.parsers.shared import add_config, data_path


def add(verbs: argparse._SubParsersAction) -> None:
    """Adds the verbs of this group."""
    _add_compile(verbs)
    _add_submit(verbs)
    _add_status(verbs)


def _add_compile(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("compile", help="write the DAG as a job for Kubeflow or Vertex AI")
    verb.add_argument(
        "--out", type=Path, required=True, metavar="FILE",
        help="a .json for the whole job, or a .yaml as Kubeflow's own clients take it",
    )  # fmt: skip
    verb.add_argument(
        "--data", type=data_path, metavar="DIR",
        help="read spans and labels from this copy of data_root, so that no store is asked",
    )  # fmt: skip
    verb.add_argument(
        "--scheduled", action="store_true",
        help="for a schedule: the job itself decides each time whether to train, and on what",
    )  # fmt: skip
    add_config(verb, default="kubeflow")


def _add_submit(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "submit",
        help="compile, check, and send to Kubeflow or Vertex AI",
        description="Compiles, checks the job, shows how it differs from the one submitted last "
        "from this workspace, asks, and sends it.",
    )
    verb.add_argument(
        "--yes", action="store_true", help="do not ask; needed where nobody can be asked"
    )
    verb.add_argument(
        "--max-cost", type=float, metavar="X",
        help="refuse a run that is estimated to cost more, in the currency of `prices`",
    )  # fmt: skip
    add_config(verb, default="kubeflow")


def _add_status(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("status", help="how a submitted run goes; exits with 1 if it failed")
    verb.add_argument(
        "run", nargs="?", metavar="RUN",
        help="its name, as submit printed it (default: what this workspace submitted last)",
    )  # fmt: skip
    add_config(verb, default="kubeflow")
