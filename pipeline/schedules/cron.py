"""Cron in five fields, checked strictly, so that every scheduler reads it in the same way.

The library reads the fields and finds fixed times. What it takes beyond classic cron (seconds, `L`,
`#`) is refused here, as is what schedulers read differently: each gets a form of its own, see
`pipeline.schedules.forms`, and all forms have to mean the same times.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from components.errors import PostersError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAYS_PER_YEAR, _MONTHS_PER_YEAR = 365, 12
_EXAMPLE = "such as `0 3 * * mon`: minute, hour, day of month, month, day of week"


@dataclasses.dataclass(frozen=True)
class _FieldKind:
    """One of the five fields: its name, attribute of the library, bounds, and names of values."""

    name: str
    attribute: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        words = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"{self.low}-{self.high}{words}"


_KINDS = (
    _FieldKind("minute", "minutes", 0, 59),
    _FieldKind("hour", "hours", 0, 23),
    _FieldKind("day of month", "days", 1, 31),
    _FieldKind("month", "months", 1, 12, _MONTHS),
    _FieldKind("day of week", "weekdays", 0, 7, _DAYS),
)
_ANY_DAY = datetime.datetime(2024, 1, 1)
_UTC = datetime.timezone.utc
_MINUTE = datetime.timedelta(minutes=1)
#: From one time to the next, as the library has it.
_LOOK_AHEAD = datetime.timedelta(days=50 * 365)


@dataclasses.dataclass(frozen=True)
class Field:
    """One field.

    Attributes:
      text: as it was written, in lower case, names replaced by numbers.
      values: what it matches; days of the week from 0, Sunday, to 6.
      is_full: whether it matches everything.
    """

    text: str
    values: frozenset[int]
    is_full: bool


@dataclasses.dataclass(frozen=True)
class Cron:
    """A checked expression.

    If day of month and day of week are both restricted, a day has to match one of them.

    Attributes:
      text: as it was written, spaces made single.
      minute: from 0 to 59.
      hour: from 0 to 23.
      day: of the month, from 1 to 31.
      month: from 1 to 12.
      weekday: from 0, Sunday, to 6.
    """

    text: str
    minute: Field
    hour: Field
    day: Field
    month: Field
    weekday: Field

    def firings(self, after: datetime.datetime, zone: ZoneInfo) -> Iterator[datetime.datetime]:
        """The times that follow a moment, without end, each in the zone.

        Where clocks are put forward, a time that does not exist becomes the first one after the
        gap; where they are put back, a time that comes twice is taken the first time. With `*` or
        `*/n` as minute or hour the expression counts what really passes: nothing in the gap, both
        of a repeated hour. Debian's cron does the same.

        Args:
          after: an aware time; what falls on it is not yielded.
          zone: where the expression's times are meant.
        """
        if self.minute.text.startswith("*") or self.hour.text.startswith("*"):
            yield from self._passing(after, zone)
            return
        last = after
        for firing in CronSim(self.text, after.astimezone(zone)):
            # Times in a gap all become its end; the start may lie in a repeated hour.
            if firing.astimezone(_UTC) > last.astimezone(_UTC):
                last = firing
                yield firing

    def _passing(self, after: datetime.datetime, zone: ZoneInfo) -> Iterator[datetime.datetime]:
        """Of the minutes that pass, those at which the zone's clock shows what it asks for.

        The library steps by the clock, and leaves out or makes up times near its changes.
        """
        moment = after.astimezone(_UTC).replace(second=0, microsecond=0) + _MINUTE
        last = moment
        while moment - last < _LOOK_AHEAD:
            here = moment.astimezone(zone)
            wait = self._until_it_may_fire(here)
            if not wait:
                yield here
                last, wait = moment, _MINUTE
            # A minute at a time to where the clock is changed: it may show any time from then on.
            unchanged = (moment + wait).astimezone(zone).utcoffset() == here.utcoffset()
            moment += wait if unchanged else _MINUTE

    def _until_it_may_fire(self, here: datetime.datetime) -> datetime.timedelta:
        """How long nothing fires for certain, by a clock that is not changed."""
        if not self.matches_day(here.date()):
            return datetime.timedelta(days=1, hours=-here.hour, minutes=-here.minute)
        if here.hour not in self.hour.values:
            return datetime.timedelta(hours=1, minutes=-here.minute)
        later = (minute for minute in self.minute.values if minute >= here.minute)
        return datetime.timedelta(minutes=min(later, default=60) - here.minute)

    @property
    def per_month(self) -> float:
        """How often it fires in a month, on the average of the year 2025."""
        first = datetime.date(2025, 1, 1)
        days = (first + datetime.timedelta(days=number) for number in range(_DAYS_PER_YEAR))
        matching = sum(self.matches_day(day) for day in days)
        return matching * len(self.hour.values) * len(self.minute.values) / _MONTHS_PER_YEAR

    def matches_day(self, day: datetime.date) -> bool:
        """Whether it fires on a day."""
        in_month = day.day in self.day.values
        in_week = day.isoweekday() % 7 in self.weekday.values
        if self.day.is_full or self.weekday.is_full:
            matches = in_month and in_week
        else:
            matches = in_month or in_week
        return day.month in self.month.values and matches


def parse(text: str) -> Cron:
    """Reads an expression.

    Raises:
      PostersError: it is no cron, or schedulers would not agree about it; it names the field.
    """
    texts = text.lower().split()
    _check_form(text, texts)
    fields = [
        _parse_field(written, kind, text) for written, kind in zip(texts, _KINDS, strict=True)
    ]
    _check_days(texts, fields, text)
    if _is_every_day(texts, fields):
        # Restricted in words alone: `1-31` or a Monday is any day.
        fields[2] = Field("*", frozenset(range(1, 32)), True)
        fields[4] = Field("*", frozenset(range(7)), True)
        texts[2] = texts[4] = "*"
    try:
        CronSim(" ".join(texts), _ANY_DAY)
    except CronSimError as error:
        raise PostersError(
            f"--cron `{text}`: day of month: `{texts[2]}` never comes in month `{texts[3]}`."
        ) from error
    return Cron(" ".join(texts), *fields)


def _check_form(text: str, texts: list[str]) -> None:
    if re.match(r"(cron_)?tz=", text.strip(), re.IGNORECASE):
        raise PostersError(
            f"--cron `{text}`: give the time zone with --timezone, and here the five fields alone."
        )
    if text.strip().startswith("@"):
        raise PostersError(
            f"--cron `{text}`: not every scheduler knows such names. Write five fields, {_EXAMPLE}."
        )
    if len(texts) == 6:
        raise PostersError(
            f"--cron `{text}`: six fields. Write five, {_EXAMPLE}; where a service wants seconds "
            "too, they are added."
        )
    if len(texts) != 5:
        raise PostersError(f"--cron `{text}`: {len(texts)} fields. Write five, {_EXAMPLE}.")


def _parse_field(written: str, kind: _FieldKind, text: str) -> Field:
    where = f"--cron `{text}`: {kind.name}: `{written}`"
    numbers = _number_names(written, kind)
    if not re.fullmatch(r"[0-9*,/-]+", numbers):
        raise PostersError(
            f"{where} is not understood by every scheduler: write numbers from {kind.allowed}, "
            "ranges (1-5), steps (*/2) and lists of them (1,3)."
        )
    _check_steps(numbers, kind, where)
    parts = ["*"] * len(_KINDS)
    parts[_KINDS.index(kind)] = numbers
    try:
        found = getattr(CronSim(" ".join(parts), _ANY_DAY), kind.attribute)
    except CronSimError as error:
        raise PostersError(
            f"{where} is no list of numbers from {kind.allowed}, ranges from low to high and steps."
        ) from error
    if kind.names is _DAYS:
        values, count = frozenset(day % 7 for day in found), len(_DAYS)
    else:
        values, count = frozenset(found), kind.high - kind.low + 1
    return Field(numbers, values, len(values) == count)


def _number_names(written: str, kind: _FieldKind) -> str:
    """A field with its names of months or days as numbers."""
    for place, name in enumerate(kind.names):
        number = str(kind.low + place)
        written = re.sub(rf"(?<![a-z0-9]){name}(?![a-z0-9])", number, written)
    return written


def _check_steps(numbers: str, kind: _FieldKind, where: str) -> None:
    for step in re.findall(r"/(\d+)", numbers):
        if int(step) > kind.high - kind.low:
            raise PostersError(
                f"{where}: the step {step} leaves one value only, and not every scheduler takes "
                "it. Write that value."
            )


def _check_days(texts: list[str], fields: list[Field], text: str) -> None:
    """Refuses what asks for a day of the month and of the week in a way that is read in two."""
    day, weekday = fields[2], fields[4]
    if day.is_full or weekday.is_full:
        return
    if texts[2].startswith("*") or texts[4].startswith("*"):
        raise PostersError(
            f"--cron `{text}`: day of month `{texts[2]}` with day of week `{texts[4]}`: some "
            "schedulers want both to match and some one of them. Restrict one alone, or write both "
            "without `*/`: then one of them has to match, everywhere."
        )


def _is_every_day(texts: list[str], fields: list[Field]) -> bool:
    """Whether one of two restrictions, either of which is enough, holds every day."""
    one_full = fields[2].is_full or fields[4].is_full
    return one_full and not (texts[2].startswith("*") or texts[4].startswith("*"))
