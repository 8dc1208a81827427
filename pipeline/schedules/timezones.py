"""Time zones by their names in the IANA database."""

from __future__ import annotations

import datetime
import difflib
import functools
import zoneinfo
from zoneinfo import ZoneInfo

from components.errors import PostersError

#: For so long two zones have to show the same time to be taken for each other.
_YEARS = 3


@functools.lru_cache
def known() -> frozenset[str]:
    """Names of all zones that this machine has and others know."""
    # Among them lie files such as localtime, which is another zone elsewhere.
    names = zoneinfo.available_timezones() - {"Factory"}
    return frozenset(name for name in names if name[0].isupper())


@functools.lru_cache
def zone(name: str) -> ZoneInfo:
    """The zone of that name.

    Raises:
      PostersError: there is none; it names the nearest.
    """
    if name in known():
        return ZoneInfo(name)
    near = difflib.get_close_matches(name, known(), n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else "."
    raise PostersError(
        f"--timezone {name}: no time zone of the IANA database{hint} Write it as "
        "Europe/Berlin, America/New_York or UTC."
    )


def machine() -> str:
    """Name of this machine's time zone."""
    import tzlocal

    return tzlocal.get_localzone_name() or "UTC"


def same_clock(one: str, other: str, now: datetime.datetime) -> bool:
    """Whether two zones show the same time for the coming years."""
    if one == other:
        return True
    first, second = zone(one), zone(other)
    hours = (now + datetime.timedelta(hours=hour) for hour in range(_YEARS * 365 * 24))
    return all(
        moment.astimezone(first).utcoffset() == moment.astimezone(second).utcoffset()
        for moment in hours
    )
