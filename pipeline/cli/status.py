"""`posters status`: how a submitted run goes."""

from __future__ import annotations

import argparse
from pathlib import Path

from components.errors import PostersError
from components.progress import CONSOLE
from pipeline import config as configuration
from pipeline import submitted
from pipeline.cli.main import FAILED, OK
from pipeline.runners import kubeflow, logs
from pipeline.services.connect import connect


def run(options: argparse.Namespace) -> int:
    """Prints the state of a run and of its nodes; fails if the run did."""
    config = configuration.load(options.config, options.overrides)
    run_id = options.run or _last(config)
    with logs.to_file(Path(config.workspace) / "submit.log"):
        found = connect(config).run(run_id)
    CONSOLE.print(f"{found.id}: {found.state}", markup=False)
    for node, state in found.nodes.items():
        CONSOLE.print(f"  {node:<18} {state}", markup=False)
    if found.error:
        CONSOLE.print(found.error, markup=False)
    CONSOLE.print(found.page, markup=False)
    return FAILED if found.state in ("failed", "cancelled") else OK


def _last(config: configuration.Config) -> str:
    last = submitted.read(config, kubeflow.runner_of(config).name)
    if last is None:
        raise PostersError(
            f"nothing was submitted from {config.workspace}: give the run's name, as posters "
            "submit printed it, or the workspace it was submitted from (--set workspace=DIR)."
        )
    return last.run_id
