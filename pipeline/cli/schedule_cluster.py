"""`posters schedule` with a runner that is a service: its own schedules start the compiled job."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from components.errors import PostersError
from components.progress import CONSOLE
from pipeline import config as configuration
from pipeline.cli import schedule, submit
from pipeline.cli.main import FAILED, OK
from pipeline.config import Config
from pipeline.runners import kubeflow, logs, requirements
from pipeline.services import connect
from pipeline.services.schedules import Schedules


def _create(options: argparse.Namespace) -> int:
    plan, config = schedule.plan_of(options), _load(options)
    requirements.check_filled_in(config)
    with logs.to_file(submit.log_of(config)):
        service = connect.connect(config)
        schedules = connect.connect_schedules(config, service)
        schedules.check(plan)
        schedules.check_new(plan)
        # The same job each time, which decides itself whether there is reason to train.
        _, job = submit.prepare(config, service, scheduled=True)
    CONSOLE.print(f"{config.name} for {options.runner}", markup=False)
    schedule.show_plan(plan)
    estimate = submit.show_cost(config, job, options.max_cost)
    if estimate:
        count = plan.cron.per_month
        CONSOLE.print(
            f"A month, {count:.1f} times, if all of them train: {count * estimate.cost:.2f} "
            f"{estimate.currency}",
            markup=False,
        )
    if not (options.yes or submit.confirmed("Create it? Every run will cost money.")):
        CONSOLE.print("Nothing was created.")
        return FAILED
    with logs.to_file(submit.log_of(config)):
        submit.stage(config)
        made = schedules.create(job, plan)
    CONSOLE.print(f"Created {made.id}\n{made.page}", markup=False)
    return OK


def _list(options: argparse.Namespace) -> int:
    config, schedules = _connect(options)
    with logs.to_file(submit.log_of(config)):
        found = schedules.list()
    if not found:
        CONSOLE.print(f"There is no schedule of {config.name} there.", markup=False)
    for one in found:
        lines = [f"next {schedule.describe(one.following)}", one.id, one.page]
        schedule.show(one.name, f"{one.state}, `{one.cron}` in {one.timezone}", *lines)
    return OK


def _verb(name: str, done: str) -> Callable[[argparse.Namespace], int]:
    def act(options: argparse.Namespace) -> int:
        config, schedules = _connect(options)
        with logs.to_file(submit.log_of(config)):
            getattr(schedules, name)(options.name)
        CONSOLE.print(f"{options.name}: {done}", markup=False)
        return OK

    return act


def _connect(options: argparse.Namespace) -> tuple[Config, Schedules]:
    config = _load(options)
    with logs.to_file(submit.log_of(config)):
        return config, connect.connect_schedules(config, connect.connect(config))


def _load(options: argparse.Namespace) -> Config:
    config = configuration.load(options.config or options.runner, options.overrides)
    if kubeflow.runner_of(config).name != options.runner:
        raise PostersError(
            f"--runner {options.runner}: {options.config} has no section {options.runner}; see "
            f"configs/{options.runner}.yaml."
        )
    return config


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "create": _create,
    "list": _list,
    "pause": _verb("pause", "paused; what runs goes on"),
    "resume": _verb("resume", "fires again"),
    "delete": _verb("delete", "deleted; what runs goes on"),
}
