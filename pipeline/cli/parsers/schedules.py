"""Retraining by the clock."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.cli.parsers.shared import add_config

_RUNNERS = ("local", "kubeflow", "vertex")
_DESCRIPTION = """\
Retrains at set times: on this machine (posters schedule run, or units for systemd and crontab that
posters schedule units writes), by Kubeflow's recurring runs, or by Vertex AI's pipeline schedules.
docs/scheduling.md says what happens where clocks change, and to times that were missed.
"""


def add(verbs: argparse._SubParsersAction) -> None:
    """Adds the verb of this group."""
    verb = verbs.add_parser(
        "schedule",
        help="retrain at set times: here, on Kubeflow or on Vertex AI",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = verb.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_create(actions)
    _add_named(actions, "list", "the schedules, and when they fire next", None)
    _add_named(actions, "pause", "have a schedule fire no more; what runs goes on", "NAME")
    _add_named(actions, "resume", "have a paused schedule fire again", "NAME")
    _add_named(actions, "delete", "remove a schedule; what runs goes on", "NAME")
    _add_run(actions)
    _add_units(actions)


def _add_create(actions: argparse._SubParsersAction) -> None:
    action = actions.add_parser(
        "create", help="make a schedule, and show when it will fire and what that costs"
    )
    action.add_argument(
        "name", nargs="?", default="retrain", metavar="NAME", help="(default: retrain)"
    )
    action.add_argument(
        "--cron", required=True, metavar="FIELDS",
        help="minute, hour, day of month, month, day of week, such as '0 3 * * mon'",
    )  # fmt: skip
    action.add_argument(
        "--timezone", metavar="ZONE",
        help="that they are meant in, such as Europe/Berlin (default: UTC)", default="UTC",
    )  # fmt: skip
    action.add_argument(
        "--missed", choices=["once", "never"], default="once",
        help="whether the newest of the times that were missed is caught up (default: once)",
    )  # fmt: skip
    action.add_argument("--start", metavar="DATE", help="nothing fires before")
    action.add_argument("--end", metavar="DATE", help="nothing fires after; a day counts whole")
    action.add_argument(
        "--yes", action="store_true", help="do not ask; needed where nobody can be asked"
    )
    action.add_argument(
        "--max-cost", type=float, metavar="X",
        help="refuse if one run is estimated to cost more, in the currency of `prices`",
    )  # fmt: skip
    _add_runner(action)


def _add_named(
    actions: argparse._SubParsersAction, name: str, text: str, metavar: str | None
) -> None:
    action = actions.add_parser(name, help=text)
    if metavar:
        action.add_argument("name", metavar=metavar, help="as posters schedule list has it")
    _add_runner(action)


def _add_run(actions: argparse._SubParsersAction) -> None:
    action = actions.add_parser(
        "run", help="be the scheduler of this machine, until it is interrupted"
    )
    action.add_argument("names", nargs="*", metavar="NAME", help="heed these alone (default: all)")
    action.add_argument(
        "--due", action="store_true",
        help="do what is due now, if anything, and end with the status of posters retrain; this is "
        "what the units for systemd and crontab start",
    )  # fmt: skip
    add_config(action, default="local")


def _add_units(actions: argparse._SubParsersAction) -> None:
    action = actions.add_parser("units", help="units for systemd and lines for crontab")
    action.add_argument("name", metavar="NAME", help="of a schedule of this machine")
    action.add_argument(
        "--out", type=Path, metavar="DIR", help="also write the units there, for systemd"
    )
    add_config(action, default="local")


def _add_runner(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--runner", choices=_RUNNERS, default="local", help="where it runs (default: local)"
    )
    add_config(action, default=None)
