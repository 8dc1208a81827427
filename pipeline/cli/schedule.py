"""`posters schedule`: retraining by the clock, on this machine or by a service."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Callable
from pathlib import Path

from components.errors import PostersError
from components.files import write_text
from components.progress import CONSOLE
from pipeline import config as configuration
from pipeline import notify
from pipeline.cli.main import FAILED, INTERRUPTED, OK
from pipeline.config import Config
from pipeline.schedules import plan as planning
from pipeline.schedules import record
from pipeline.schedules.firing import OUTCOMES, Ended, NotStartedError
from pipeline.schedules.plan import Plan
from pipeline.schedules.record import Schedule

_LOCAL = "local"
_TIME = "%a %Y-%m-%d %H:%M %Z"


def run(options: argparse.Namespace) -> int:
    """Does what the command line asks for."""
    if getattr(options, "name", None) is not None:
        _check_name(options.name)
    if getattr(options, "runner", _LOCAL) == _LOCAL:
        return _ON_THIS_MACHINE[options.action](options)
    from pipeline.cli import schedule_cluster

    return schedule_cluster.ACTIONS[options.action](options)


def plan_of(options: argparse.Namespace) -> Plan:
    """What was asked for, checked."""
    plan = planning.make(
        options.name, options.cron, options.timezone, options.missed, options.start, options.end
    )
    planning.check_fires(plan, _now())
    return plan


def show_plan(plan: Plan) -> None:
    """Prints when it fires."""
    CONSOLE.print(f"{plan.name}: `{plan.cron.text}` in {plan.timezone}; it fires", markup=False)
    for line in plan.describe(_now()):
        CONSOLE.print(f"  {line}", markup=False)


def show(name: str, state: str, *lines: str) -> None:
    """Prints one schedule."""
    CONSOLE.print(f"{name}: {state}", markup=False, soft_wrap=True)
    for line in lines:
        CONSOLE.print(f"  {line}", markup=False, soft_wrap=True)


def describe(moment: datetime.datetime | None) -> str:
    """A time in its zone and in UTC."""
    if moment is None:
        return "-"
    utc = moment.astimezone(datetime.timezone.utc)
    return f"{moment:{_TIME}}" + ("" if moment.tzname() == "UTC" else f" ({utc:{_TIME}})")


def _create(options: argparse.Namespace) -> int:
    plan, config = plan_of(options), _load(options)
    folder = record.folder_of(config.workspace)
    if record.exists(folder, plan.name):
        raise PostersError(
            f"there is a schedule {plan.name} in {folder} already. Delete it first (posters "
            f"schedule delete {plan.name}), or give another name."
        )
    if options.max_cost is not None:
        raise PostersError("--max-cost: nothing is known about what a run on this machine costs.")
    source = Path(options.config or _LOCAL)
    arguments = ["--config", str(source.resolve()) if source.is_file() else str(source)]
    for setting in options.overrides:
        arguments += ["--set", setting]
    schedule = Schedule(plan, tuple(arguments), str(Path.cwd()), handled=_now())
    record.write(folder, schedule)
    show_plan(plan)
    CONSOLE.print(
        f"Created in {folder}. It fires while `posters schedule run` runs in the foreground, or "
        f"by systemd or cron: `posters schedule units {plan.name}`, both with the same --config.",
        markup=False,
    )
    return OK


def _list(options: argparse.Namespace) -> int:
    folder = record.folder_of(_load(options).workspace)
    found = list(record.read_all(folder))
    if not found:
        CONSOLE.print(f"There is no schedule in {folder}.", markup=False)
    for name, schedule in found:
        if isinstance(schedule, PostersError):
            show(name, f"damaged: {schedule}")
            continue
        plan, following = schedule.plan, schedule.plan.next_firing(_now())
        state = "paused" if schedule.paused else "active" if following else "over"
        shown = None if schedule.paused else following
        lines = [f"next {describe(shown)}", f"last {_describe_last(schedule)}"]
        show(name, f"{state}, `{plan.cron.text}` in {plan.timezone}, missed: {plan.missed}", *lines)
    return OK


def _pause(options: argparse.Namespace) -> int:
    _change(options, record.with_pause)
    CONSOLE.print(f"{options.name}: paused; what runs goes on", markup=False)
    return OK


def _resume(options: argparse.Namespace) -> int:
    schedule = _change(options, lambda schedule: record.without_pause(schedule, _now()))
    following = describe(schedule.plan.next_firing(_now()))
    CONSOLE.print(f"{options.name}: fires next on {following}", markup=False)
    return OK


def _delete(options: argparse.Namespace) -> int:
    config = _load(options)
    record.delete(record.folder_of(config.workspace), options.name)
    CONSOLE.print(
        f"{options.name}: deleted. If systemd or cron start it, have them stop: systemctl --user "
        f"disable --now posters-{config.name}-{options.name}.timer, crontab -e.",
        markup=False,
    )
    return OK


def _run(options: argparse.Namespace) -> int:
    config = _load(options)
    folder = record.folder_of(config.workspace)
    for name in options.names:
        record.read(folder, name)
    act = _run_due if options.due else _watch
    return act(config, folder, options.names)


def _run_due(config: Config, folder: Path, names: list[str]) -> int:
    from pipeline.schedules import firing

    worst = OK
    for name in names or record.names(folder):
        try:
            ended = firing.run_due(folder, name, _now, _say)
        except NotStartedError as error:
            # The other schedules go on.
            _say(f"{name}: {error}")
            _tell(config, name, error)
            worst = FAILED
            continue
        if ended:
            _tell(config, name, ended)
            if ended.interrupted:
                return INTERRUPTED
            worst = worst if worst == FAILED else _status(ended) or worst
    return worst


def _watch(config: Config, folder: Path, names: list[str]) -> int:
    from pipeline.schedules.foreground import Foreground

    _say(f"schedules of {folder}; Ctrl-C ends")
    if not record.names(folder):
        _say("there is none yet: posters schedule create")
    Foreground(folder, names, _say, lambda name, ended: _tell(config, name, ended)).run()
    return INTERRUPTED


def _units(options: argparse.Namespace) -> int:
    from pipeline.schedules import timezones, units

    config = _load(options)
    schedule = record.read(record.folder_of(config.workspace), options.name)
    made = units.systemd(schedule, config.name)
    for name, text in made.items():
        CONSOLE.print(f"# {name}\n{text}", markup=False, soft_wrap=True)
        if options.out:
            write_text(options.out / name, text)
    CONSOLE.print("# crontab", markup=False)
    for line in units.crontab(schedule, timezones.machine(), _now()):
        CONSOLE.print(line, markup=False, soft_wrap=True)
    if options.out:
        timer = next(name for name in made if name.endswith(".timer"))
        CONSOLE.print(
            f"\nWritten to {options.out}. For units of your own name ~/.config/systemd/user; then "
            f"systemctl --user daemon-reload, systemctl --user enable --now {timer}, and loginctl "
            "enable-linger, so that it fires while you are logged out.",
            markup=False,
        )
    return OK


def _change(options: argparse.Namespace, change: Callable[[Schedule], Schedule]) -> Schedule:
    folder = record.folder_of(_load(options).workspace)
    schedule = change(record.read(folder, options.name))
    record.write(folder, schedule)
    return schedule


def _load(options: argparse.Namespace) -> Config:
    return configuration.load(options.config or _LOCAL, options.overrides).on_this_machine()


def _describe_last(schedule: Schedule) -> str:
    last = schedule.last
    if last is None:
        return "-"
    return f"{last.planned:{_TIME}}: {last.outcome or 'runs, or was cut off'}"


def _status(ended: Ended) -> int:
    """The status of `posters retrain`, or 1 of a process that ended otherwise."""
    return ended.code if ended.code in OUTCOMES else FAILED


def _tell(config: Config, name: str, ended: Ended | NotStartedError) -> None:
    """Tells of a process that could not do so itself; posters retrain tells of everything else."""
    what = f"{config.name}: the scheduled retraining {name}"
    if isinstance(ended, NotStartedError):
        if not ended.again:
            text = f"{what} could not be started: {ended}"
            notify.notify(config, notify.Event("failed", text, reasons=[str(ended)]))
    elif ended.code not in OUTCOMES and not ended.interrupted:
        text = f"{what} ended with {ended.outcome}"
        notify.notify(config, notify.Event("failed", text, reasons=[ended.outcome]))


def _say(line: str) -> None:
    now = datetime.datetime.now()
    CONSOLE.print(f"{now:%Y-%m-%d %H:%M:%S} {line}", markup=False, soft_wrap=True)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _check_name(name: str) -> None:
    if not record.NAME.fullmatch(name):
        raise PostersError(
            f"{name}: no name of a schedule. Take up to 40 lower-case letters, digits and dashes."
        )


_ON_THIS_MACHINE: dict[str, Callable[[argparse.Namespace], int]] = {
    "create": _create,
    "list": _list,
    "pause": _pause,
    "resume": _resume,
    "delete": _delete,
    "run": _run,
    "units": _units,
}
