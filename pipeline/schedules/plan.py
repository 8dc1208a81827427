"""What a person asks for: when to retrain, and what becomes of a time that was missed."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
from collections.abc import Iterator
from typing import Literal
from zoneinfo import ZoneInfo

from components.errors import PostersError
from pipeline.schedules import cron, timezones

#: What becomes of firings that could not happen at their time: the newest is caught up, or none.
Missed = Literal["once", "never"]
_UTC = datetime.timezone.utc
_TIME = "%a %Y-%m-%d %H:%M %Z"
_DAY_SECONDS = datetime.timedelta(days=1, seconds=-1)


@dataclasses.dataclass(frozen=True)
class Plan:
    """When to retrain.

    Attributes:
      name: of the schedule; lower-case letters, digits and dashes.
      cron: five fields.
      timezone: IANA name of the zone that they are meant in.
      missed: see `Missed`.
      start: nothing fires before, or None.
      end: nothing fires after, or None.
    """

    name: str
    cron: cron.Cron
    timezone: str
    missed: Missed = "once"
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The zone."""
        return timezones.zone(self.timezone)

    def firings(self, after: datetime.datetime) -> Iterator[datetime.datetime]:
        """The times after a moment, within start and end, both included."""
        if self.start and self.start > after:
            after = self.start - datetime.timedelta(seconds=1)
        for firing in self.cron.firings(after, self.zone):
            if self.end and firing > self.end:
                return
            yield firing

    def next_firing(self, after: datetime.datetime) -> datetime.datetime | None:
        """The first time after a moment, or None."""
        return next(self.firings(after), None)

    def describe(self, now: datetime.datetime, count: int = 5) -> list[str]:
        """The next times, a line each, in the zone and in UTC; changes of the clock are told."""
        lines: list[str] = []
        offset = now.astimezone(self.zone).utcoffset()
        for firing in itertools.islice(self.firings(now), count):
            if firing.utcoffset() != offset:
                hours = (firing.utcoffset() - offset).total_seconds() / 3600
                way = "forward" if hours > 0 else "back"
                lines.append(f"(clocks are put {way} {abs(hours):g} h)")
                offset = firing.utcoffset()
            lines.append(f"{firing:{_TIME}}   {firing.astimezone(_UTC):{_TIME}}")
        return lines


def make(
    name: str,
    text: str,
    timezone: str,
    missed: Missed = "once",
    start: str | None = None,
    end: str | None = None,
) -> Plan:
    """Checks what a person wrote.

    Args:
      name: of the schedule.
      text: cron.
      timezone: IANA name.
      missed: see `Missed`.
      start: date or date and time, in the zone unless it has an offset; a date means its beginning.
      end: the same; a date means its end.

    Raises:
      PostersError: something is wrong; it names the option.
    """
    zone = timezones.zone(timezone)
    first = _moment("--start", start, zone, is_end=False)
    last = _moment("--end", end, zone, is_end=True)
    if first and last and last < first:
        raise PostersError(f"--end {end}: before --start {start}.")
    return Plan(name, cron.parse(text), timezone, missed, first, last)


def check_fires(plan: Plan, now: datetime.datetime) -> None:
    """Refuses a plan that never fires.

    Raises:
      PostersError: with the reason.
    """
    if plan.next_firing(now) is None:
        raise PostersError(
            f"--end {plan.end:%Y-%m-%d %H:%M %Z}: `{plan.cron.text}` does not fire from now until "
            "then. Give a later end, or another --cron."
        )


def _moment(
    option: str, text: str | None, zone: ZoneInfo, is_end: bool
) -> datetime.datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise PostersError(
            f"{option} {text}: write a date, 2027-01-31, or a date and time, 2027-01-31T08:00."
        ) from error
    if is_end and len(text) == len("2027-01-31"):
        moment += _DAY_SECONDS
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
