"""`posters submit`: compile, check, show what is new, ask, send."""

from __future__ import annotations

import argparse
import datetime
import secrets
import sys
from pathlib import Path

from components.errors import PostersError
from components.progress import CONSOLE
from pipeline import config as configuration
from pipeline import cost, submitted, windows
from pipeline.cli.main import FAILED, OK
from pipeline.runners import difference, kubeflow, logs, requirements
from pipeline.services.connect import Service, connect
from pipeline.submitted import Submitted

#: Lines of the difference that are shown.
_SHOWN = 20


def run(options: argparse.Namespace) -> int:
    """Submits a run and prints what it is called, or says why not."""
    config = configuration.load(options.config, options.overrides)
    runner = kubeflow.runner_of(config)
    requirements.check_filled_in(config)
    with logs.to_file(log_of(config)):
        # Credentials are looked for here, and the store is asked next.
        service = connect(config)
        window, job = prepare(config, service)
    CONSOLE.print(f"{config.name}, {window}, for {runner.name}", markup=False)
    _show_difference(submitted.read(config, runner.name), job)
    show_cost(config, job, options.max_cost)
    if not (options.yes or confirmed("Submit it? It will cost money.")):
        CONSOLE.print("Nothing was submitted.")
        return FAILED
    with logs.to_file(log_of(config)):
        stage(config)
        now = datetime.datetime.now(datetime.timezone.utc)
        # Two may submit in one second.
        sent = service.submit(job, f"{config.name}-{now:%Y%m%d%H%M%S}-{secrets.token_hex(2)}")
    submitted.write(config, runner.name, Submitted(sent.id, job))
    CONSOLE.print(f"Submitted {sent.id}\n{sent.page}", markup=False)
    CONSOLE.print(f"How it goes: posters status --config {options.config}", markup=False)
    return OK


def prepare(
    config: configuration.Config, service: Service, scheduled: bool = False
) -> tuple[windows.Window, kubeflow.Job]:
    """Compiles the job of a configuration and checks it; nothing is sent.

    Args:
      config: the checked configuration.
      service: where the job goes to.
      scheduled: see `kubeflow.build`.

    Raises:
      PostersError: something is wrong with the configuration, the data or the job.
    """
    window = _resolve(config)
    job = kubeflow.build(config, window, kubeflow.runner_of(config), scheduled)
    service.check(job)
    return window, job


def show_cost(
    config: configuration.Config, job: kubeflow.Job, cap: float | None
) -> cost.Estimate | None:
    """Shows what a run of a job is estimated to cost, if there are prices.

    Raises:
      PostersError: it is more than the cap.
    """
    estimate = cost.estimate(config, job) if config.prices else None
    if estimate:
        estimate.show(CONSOLE)
    if cap is not None:
        cost.check_cap(estimate, cap)
    return estimate


def log_of(config: configuration.Config) -> Path:
    """Where libraries talk to."""
    return Path(config.workspace) / "submit.log"


def _resolve(config: configuration.Config) -> windows.Window:
    try:
        return windows.resolve(config)
    except OSError as error:
        raise PostersError(
            f"data_root: {config.data_root} cannot be read ({error.strerror or error}). You need "
            "to be allowed to read the bucket."
        ) from error


def stage(config: configuration.Config) -> None:
    """Puts the schema where the containers find it, which shows that the store can be written."""
    from pipeline import data_nodes

    try:
        data_nodes.stage(config)
    except OSError as error:
        raise PostersError(
            f"store: {config.store} cannot be written ({error.strerror or error}). You and the "
            "service account of the containers need to be allowed to write to the bucket."
        ) from error


def _show_difference(last: Submitted | None, job: kubeflow.Job) -> None:
    if last is None:
        CONSOLE.print("  nothing was submitted from this workspace before")
        return
    found = difference.lines(last.job, job)
    if not found:
        CONSOLE.print(f"  the same job as {last.run_id}: every node will be cached", markup=False)
    for line in found[:_SHOWN]:
        CONSOLE.print(f"  {line}", markup=False, soft_wrap=True)
    if len(found) > _SHOWN:
        CONSOLE.print(f"  ... and {len(found) - _SHOWN} more differences from {last.run_id}")


def confirmed(question: str) -> bool:
    """Asks a person.

    Raises:
      PostersError: nobody is there.
    """
    if not sys.stdin.isatty():
        raise PostersError("nobody is there to be asked: with --yes the job is sent unasked.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
