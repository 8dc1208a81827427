"""Which spans a window holds, of those that are there. No file is read here."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

from components.errors import PostersError
from components.spans.settings import LastSpans, SpanDates, WindowSetting
from components.spans.words import in_words, ranges

#: The date of a span by its number; None if it has none.
DateOf = Callable[[int], datetime.date | None]


def choose(
    window: WindowSetting,
    there: Sequence[int],
    date_of: DateOf,
    where: str,
    exclude: Sequence[int] = (),
) -> tuple[int, ...]:
    """The numbers of a window's spans.

    Args:
      window: as the configuration has it.
      there: the numbers of the spans that are there, at least one, in any order.
      date_of: asked only where the window is one of dates.
      where: the data root, for errors.
      exclude: numbers that are left out, as if they were not there.

    Returns:
      At least one number, ascending. A number is what a span is ordered by: one that came late,
      with an earlier date than spans before it, is one of the last.

    Raises:
      PostersError: it names a span that is not there, or none is left.
    """
    there = _left(there, exclude, where)
    if isinstance(window, SpanDates):
        return _by_date(window, there, date_of, where)
    if isinstance(window, LastSpans):
        return tuple(there[-window.last :])
    if window == "all":
        return tuple(there)
    if window == "latest":
        return (there[-1],)
    wanted = {window} if isinstance(window, int) else set(window)
    wanted -= set(exclude)
    if missing := sorted(wanted - set(there)):
        raise PostersError(
            f"window: {where} has no {', '.join(f'span-{number}' for number in missing)}; it has "
            f"{ranges(there)}."
        )
    if not wanted:
        raise PostersError("window: exclude_spans leaves out all that it names.")
    return tuple(sorted(wanted))


def _left(there: Sequence[int], exclude: Sequence[int], where: str) -> list[int]:
    """The spans that are not left out."""
    if unknown := sorted(set(exclude) - set(there)):
        names = ", ".join(f"span-{number}" for number in unknown)
        raise PostersError(
            f"exclude_spans: {where} has no {names}; it has {ranges(sorted(there))}."
        )
    if left := sorted(set(there) - set(exclude)):
        return left
    raise PostersError(f"exclude_spans: all spans of {where} are left out.")


def _by_date(
    window: SpanDates, there: Sequence[int], date_of: DateOf, where: str
) -> tuple[int, ...]:
    dates = {number: date_of(number) for number in there}
    if undated := [number for number, date in dates.items() if date is None]:
        raise PostersError(
            f"window: {in_words(undated)} of {where} were ingested before spans had a date. Name "
            "spans by number, or take {last: N}."
        )
    since, until = window.since or datetime.date.min, window.until or datetime.date.max
    chosen = tuple(number for number in there if since <= dates[number] <= until)
    if not chosen:
        ends = [f"since {window.since}"] if window.since else []
        ends += [f"until {window.until}"] if window.until else []
        days = ", ".join(f"span-{number} of {date}" for number, date in dates.items())
        raise PostersError(f"window: no span of {where} is {' and '.join(ends)}; it has {days}.")
    return chosen
