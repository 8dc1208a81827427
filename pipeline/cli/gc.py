"""`posters gc`: removes artifacts that nothing needs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rich.table import Table

from components.errors import PostersError
from components.progress import CONSOLE, progress
from pipeline import config as configuration
from pipeline.cli.main import OK

if TYPE_CHECKING:
    from pipeline.history.removal import Plan

_MEGABYTE = 1 << 20


def run(options: argparse.Namespace) -> int:
    """Shows what would be removed, and removes it unless told not to."""
    if options.keep < 1:
        raise PostersError(
            f"--keep {options.keep}: keep at least 1 run; what the last one made is what the next "
            "one finds cached."
        )
    config = configuration.load(options.config, options.overrides).on_this_machine()
    from pipeline.history import executions, removal
    from pipeline.metadata_store import place

    where = place.of(config)
    place.check_begun(where)
    with where.only_run():
        store = place.open_store(where)
        history = executions.read(store, config.name)
        plan = removal.plan(history, config, options.keep, store.get_artifacts())
        if not plan.sizes:
            CONSOLE.print("Nothing to remove: all that is there is needed.")
            return OK
        _show(plan)
        if options.dry_run:
            CONSOLE.print("Nothing was removed.")
            return OK
        with progress("removing", len(plan.paths)) as update:
            removal.remove(store, plan, config, lambda done: update(done, ""))
    CONSOLE.print(f"Freed {plan.byte_count / _MEGABYTE:.1f} MB.")
    return OK


def _show(plan: Plan) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("to remove")
    table.add_column("how many", justify="right")
    table.add_column("MB", justify="right")
    for kind, (count, byte_count) in sorted(
        plan.sizes.items(), key=lambda item: (-item[1][1], item[0])
    ):
        table.add_row(kind, str(count), f"{byte_count / _MEGABYTE:.1f}")
    table.add_section()
    total = sum(count for count, _ in plan.sizes.values())
    table.add_row("all", str(total), f"{plan.byte_count / _MEGABYTE:.1f}")
    CONSOLE.print(table)
