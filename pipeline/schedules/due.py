"""Whether a schedule has something to do now. Nothing is started or written here."""

from __future__ import annotations

import dataclasses
import datetime

from pipeline.schedules.record import Schedule

#: Later than this a firing counts as missed.
GRACE = datetime.timedelta(minutes=10)
#: What was dealt with further ahead of now than this was dealt with by a clock that went wrong.
_WRONG_CLOCK = datetime.timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class Due:
    """A firing whose time has come.

    Attributes:
      planned: its time; of several the newest, for the others are made good by it.
      missed: how many earlier ones there are.
      late: whether it was missed itself.
      starts: whether a retraining is to be started for it.
    """

    planned: datetime.datetime
    missed: int
    late: bool
    starts: bool


def find(schedule: Schedule, now: datetime.datetime) -> Due | None:
    """What is due, or None."""
    if schedule.paused:
        return None
    handled = schedule.handled
    if handled - now > _WRONG_CLOCK:  # or nothing would fire until then
        handled = now - GRACE
    newest, count = None, 0
    for firing in schedule.plan.firings(handled):
        if firing > now:
            break
        newest, count = firing, count + 1
    if newest is None:
        return None
    late = now - newest > GRACE
    return Due(newest, count - 1, late, starts=not late or schedule.plan.missed == "once")
