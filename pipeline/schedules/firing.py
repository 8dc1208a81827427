"""Starts a retraining that is due, as a process, and keeps what came of it."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import fcntl
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from components.errors import PostersError
from pipeline.schedules import due, record
from pipeline.schedules.record import Firing, Schedule

#: What `posters retrain` exits with, in words.
OUTCOMES = {
    0: "pushed or held back",
    1: "failed",
    3: "refused",
    4: "skipped",
    130: "interrupted",
}
Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Ended:
    """A retraining that was started and is over.

    Attributes:
      code: the process's exit status; negative if a signal killed it.
      interrupted: whether this process was told to stop meanwhile, and passed it on.
    """

    code: int
    interrupted: bool

    @property
    def outcome(self) -> str:
        """The exit status in words."""
        if self.code < 0:
            return f"killed by {signal.Signals(-self.code).name}"
        return OUTCOMES.get(self.code, f"exit status {self.code}")


class NotStartedError(PostersError):
    """A retraining is due and could not be started; it stays due.

    Attributes:
      again: whether an earlier try for the same time ended so too.
    """

    OUTCOME = "not started"

    def __init__(self, problem: str, again: bool) -> None:
        super().__init__(problem)
        self.again = again


def command_of(schedule: Schedule) -> list[str]:
    """What is started."""
    return [sys.executable, "-m", "pipeline.cli.main", "retrain", *schedule.arguments]


def run_due(
    folder: Path,
    name: str,
    now: Callable[[], datetime.datetime],
    say: Say,
    command: Callable[[Schedule], Sequence[str]] | None = None,
) -> Ended | None:
    """Starts the retraining that is due, if one is, and waits for its end.

    A time counts as dealt with before the process starts: a scheduler that is killed does not
    start the same again. One for which no process can be started is due again.

    Args:
      folder: where the schedules lie.
      name: of the schedule.
      now: the time.
      say: tells a person what happens, a line each.
      command: what is started; by default `command_of`.

    Returns:
      How it ended, or None if nothing was started.

    Raises:
      NotStartedError: the process could not be started.
      PostersError: there is no such schedule, or it is damaged.
    """
    if due.find(record.read(folder, name), now()) is None:
        return None
    with only_one(folder) as free:
        if not free:
            say(f"{name}: due, but another scheduled retraining of this workspace still runs")
            return None
        # Read again: whoever held the lock may have done it.
        schedule = record.read(folder, name)
        found = due.find(schedule, now())
        if found is None:
            return None
        firing = Firing(found.planned, now(), found.missed, found.late)
        if not found.starts:
            _keep(folder, schedule, dataclasses.replace(firing, outcome="missed", ended=now()))
            say(f"{name}: {_describe(found.planned)} was missed, and is not caught up")
            return None
        _keep(folder, schedule, firing)
        say(f"{name}: {_describe(found.planned)}{_lateness(found)}: starts")
        try:
            ended = start((command or command_of)(schedule), schedule.directory)
        except PostersError as error:
            outcome, last = NotStartedError.OUTCOME, schedule.last
            failed = dataclasses.replace(firing, outcome=outcome, ended=now())
            _end(folder, name, failed, handled=schedule.handled)
            again = last and (last.planned, last.outcome) == (found.planned, outcome)
            raise NotStartedError(str(error), bool(again)) from error
        _end(folder, name, dataclasses.replace(firing, outcome=ended.outcome, ended=now()))
        seconds = (now() - firing.started).total_seconds()
        say(f"{name}: {ended.outcome}, {seconds:.0f} s")
        return ended


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[bool]:
    """Yields whether no other scheduled retraining of the workspace runs; keeps others out."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "running.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def start(command: Sequence[str], directory: str) -> Ended:
    """Starts a process and waits; Ctrl-C and SIGTERM are passed on to it, once.

    Raises:
      PostersError: it cannot be started.
    """
    stopped: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)

    def forward(number: int, frame: Any) -> None:
        del frame
        if not stopped:
            process.terminate()
        stopped.append(number)

    try:
        # Of its own session: a terminal's Ctrl-C would reach it a second time, amid its clean-up.
        process = subprocess.Popen(command, cwd=directory, start_new_session=True)
    except OSError as error:
        raise PostersError(
            f"{directory}: {command[0]} cannot be started there ({error.strerror}). Delete the "
            "schedule and create it from a folder that stays."
        ) from error
    before = [signal.signal(number, forward) for number in numbers]
    try:
        code = process.wait()
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    return Ended(code, bool(stopped))


def _keep(folder: Path, schedule: Schedule, firing: Firing) -> None:
    record.write(folder, dataclasses.replace(schedule, handled=firing.planned, last=firing))


def _end(folder: Path, name: str, firing: Firing, **changes: Any) -> None:
    """Writes how it ended, into what was made of the schedule meanwhile."""
    with contextlib.suppress(PostersError):  # deleted meanwhile
        schedule = record.read(folder, name)
        record.write(folder, dataclasses.replace(schedule, last=firing, **changes))


def _describe(planned: datetime.datetime) -> str:
    return f"{planned:%a %Y-%m-%d %H:%M %Z}"


def _lateness(found: due.Due) -> str:
    missed = f", {found.missed} before it missed" if found.missed else ""
    return f" (caught up{missed})" if found.late else missed
