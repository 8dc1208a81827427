"""Schedules of this machine, a file each in the workspace."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from components.errors import PostersError
from components.files import write_text
from pipeline.schedules import plan as planning
from pipeline.schedules.plan import Plan

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Firing:
    """The last time that a schedule had to do something.

    Attributes:
      planned: the time by the schedule.
      started: when the retraining was started, or when it was seen that the time was missed.
      missed: how many earlier times were missed and are made good by this one.
      late: whether it came so late that it was missed itself.
      outcome: `pushed or held back`, `refused`, `failed`, `skipped`, what else the process ended
        with, `missed` if none was started, `not started` if none could be, or None while one runs.
      ended: when the retraining ended, or None.
    """

    planned: datetime.datetime
    started: datetime.datetime
    missed: int = 0
    late: bool = False
    outcome: str | None = None
    ended: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True)
class Schedule:
    """One schedule of this machine.

    Attributes:
      plan: when it fires.
      arguments: of `posters retrain`.
      directory: where that is started; paths in a configuration may start there.
      handled: times up to here are dealt with.
      paused: whether it fires at all.
      last: what it did last, or None.
    """

    plan: Plan
    arguments: tuple[str, ...]
    directory: str
    handled: datetime.datetime
    paused: bool = False
    last: Firing | None = None

    @property
    def name(self) -> str:
        """Its name in the workspace."""
        return self.plan.name


def with_pause(schedule: Schedule) -> Schedule:
    """The same, firing no more."""
    return dataclasses.replace(schedule, paused=True)


def without_pause(schedule: Schedule, now: datetime.datetime) -> Schedule:
    """The same, firing again; times in the pause count as dealt with."""
    handled = now if schedule.paused else schedule.handled
    return dataclasses.replace(schedule, paused=False, handled=handled)


def folder_of(workspace: str) -> Path:
    """Where the schedules of a workspace lie."""
    return Path(workspace) / "schedules"


def write(folder: Path, schedule: Schedule) -> None:
    """Writes a schedule in one step."""
    plan, last = schedule.plan, schedule.last
    content = {
        "format": _FORMAT,
        "cron": plan.cron.text,
        "timezone": plan.timezone,
        "missed": plan.missed,
        "start": _text(plan.start),
        "end": _text(plan.end),
        "paused": schedule.paused,
        "handled": _text(schedule.handled),
        "arguments": list(schedule.arguments),
        "directory": schedule.directory,
        "last": last
        and {
            **dataclasses.asdict(last),
            "planned": _text(last.planned),
            "started": _text(last.started),
            "ended": _text(last.ended),
        },
    }
    write_text(_path(folder, schedule.name), json.dumps(content, indent=2) + "\n")


def read(folder: Path, name: str) -> Schedule:
    """Reads a schedule.

    Raises:
      PostersError: there is none of that name, or its file is damaged.
    """
    path = _path(folder, name)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _schedule(name, content)
    except FileNotFoundError as error:
        known = ", ".join(names(folder)) or "none"
        raise PostersError(
            f"there is no schedule {name} in {folder}; there are: {known}."
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError, PostersError) as error:
        raise PostersError(
            f"{path} is no schedule ({error}): delete it (posters schedule delete {name}) and "
            "create it again."
        ) from error


def names(folder: Path) -> Sequence[str]:
    """Names of the schedules, sorted."""
    return sorted(path.stem for path in folder.glob("*.json") if NAME.fullmatch(path.stem))


def read_all(folder: Path) -> Iterator[tuple[str, Schedule | PostersError]]:
    """Every schedule by name, or what is wrong with it."""
    for name in names(folder):
        try:
            yield name, read(folder, name)
        except PostersError as error:
            yield name, error


def delete(folder: Path, name: str) -> None:
    """Removes a schedule, a damaged one too.

    Raises:
      PostersError: there is none of that name.
    """
    path = _path(folder, name)
    if not path.exists():
        read(folder, name)  # says which there are
    path.unlink()


def exists(folder: Path, name: str) -> bool:
    """Whether there is a schedule of that name, damaged or not."""
    return _path(folder, name).exists()


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def _schedule(name: str, content: dict[str, Any]) -> Schedule:
    if content["format"] != _FORMAT:
        raise ValueError(f"format {content['format']}")
    plan = planning.make(
        name,
        content["cron"],
        content["timezone"],
        content["missed"],
        content["start"],
        content["end"],
    )
    last = content["last"]
    if last:
        times = {key: _time(last[key]) for key in ("planned", "started", "ended")}
        last = Firing(**{**last, **times})
    return Schedule(
        plan=plan,
        arguments=tuple(content["arguments"]),
        directory=content["directory"],
        handled=_time(content["handled"]),
        paused=content["paused"],
        last=last,
    )


def _text(moment: datetime.datetime | None) -> str | None:
    return moment and moment.isoformat()


def _time(text: str | None) -> datetime.datetime | None:
    return datetime.datetime.fromisoformat(text) if text else None
