"""The scheduler of this machine, for as long as the process lives."""

from __future__ import annotations

import datetime
import queue
from collections.abc import Callable, Sequence
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from components.errors import PostersError
from pipeline.schedules import firing, record
from pipeline.schedules.firing import Ended, NotStartedError, Say
from pipeline.schedules.plan import Plan
from pipeline.schedules.record import Schedule

#: How often the folder is looked at again, for schedules that are new, changed, paused or waiting.
LOOK_SECONDS = 30.0
_UTC = datetime.timezone.utc
#: Wake however late it is: what was missed is decided elsewhere.
_ALWAYS = {"coalesce": True, "misfire_grace_time": None}


class _Trigger(BaseTrigger):
    """Wakes at a plan's times."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def get_next_fire_time(
        self, previous_fire_time: datetime.datetime | None, now: datetime.datetime
    ) -> datetime.datetime | None:
        del previous_fire_time  # what was missed is found in the schedule's file
        return self._plan.next_firing(now)


class Foreground:
    """Starts what is due in a workspace, one retraining after another."""

    def __init__(
        self,
        folder: Path,
        names: Sequence[str],
        say: Say,
        ended: Callable[[str, Ended | NotStartedError], None],
        command: Callable[[Schedule], Sequence[str]] | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """Starts nothing yet.

        Args:
          folder: where the schedules lie.
          names: of the schedules that are heeded; all if empty.
          say: tells a person what happens, a line each.
          ended: is told of every retraining that is over or could not be started, with its
            schedule's name.
          command: what is started; by default `firing.command_of`.
          look_seconds: between two looks into the folder.
        """
        self._folder, self._names, self._say = folder, set(names), say
        self._ended, self._command = ended, command
        self._known: dict[str, Plan] = {}
        self._broken: dict[str, str] = {}
        self._last_line = ""
        # The library's thread only wakes; retrainings run in the caller's, one after another, where
        # a signal reaches the one that waits for them.
        self._woken: queue.Queue[str | None] = queue.Queue()
        self._clock = BackgroundScheduler(timezone=_UTC)
        self._clock.add_job(self._woken.put, "interval", [None], seconds=look_seconds, **_ALWAYS)

    def run(self) -> None:
        """Runs until a retraining was told to stop.

        Raises:
          KeyboardInterrupt: Ctrl-C while nothing ran.
        """
        self._clock.start()
        self._woken.put(None)
        try:
            while not any(self._fire(name) for name in self._wait()):
                pass
        finally:
            self._clock.shutdown(wait=False)

    def _wait(self) -> Sequence[str]:
        """Names of the schedules to ask, once something woke."""
        woken = {self._woken.get()}
        while not self._woken.empty():  # what gathered while a retraining ran
            woken.add(self._woken.get())
        if None in woken:
            self._look()
            return sorted(self._known)
        return sorted(name for name in woken if name)

    def _look(self) -> None:
        found = dict(record.read_all(self._folder))
        plans = {}
        for name, schedule in found.items():
            if self._names and name not in self._names:
                continue
            if isinstance(schedule, PostersError):
                self._say_once(name, str(schedule))
            else:
                plans[name] = schedule.plan
        for name in self._known.keys() - plans.keys():
            self._say(f"{name}: not heeded any more")
            if self._clock.get_job(name):  # none for one that was over
                self._clock.remove_job(name)
        for name, plan in plans.items():
            if self._known.get(name) != plan:
                self._add(plan)
        self._known = plans

    def _add(self, plan: Plan) -> None:
        following = plan.next_firing(_now())
        when = f"next {following:%a %Y-%m-%d %H:%M %Z}" if following else "over"
        self._say(f"{plan.name}: `{plan.cron.text}` in {plan.timezone}, {when}")
        if following:
            how = {"id": plan.name, "replace_existing": True, **_ALWAYS}
            self._clock.add_job(self._woken.put, _Trigger(plan), [plan.name], **how)

    def _fire(self, name: str) -> bool:
        """Starts what is due; returns whether it was told to stop meanwhile."""
        try:
            ended = firing.run_due(self._folder, name, _now, self._say_new, self._command)
        except (PostersError, OSError) as error:
            # The other schedules go on; this one is tried again at the next look.
            self._say_once(name, str(error))
            if isinstance(error, NotStartedError):
                self._ended(name, error)
            return False
        if ended:
            self._ended(name, ended)
        return bool(ended and ended.interrupted)

    def _say_new(self, line: str) -> None:
        """Says no line twice in a row, as that of a schedule that has to wait."""
        if line != self._last_line:
            self._last_line = line
            self._say(line)

    def _say_once(self, name: str, problem: str) -> None:
        if self._broken.get(name) != problem:
            self._broken[name] = problem
            self._say(f"{name}: {problem}")


def _now() -> datetime.datetime:
    return datetime.datetime.now(_UTC)
