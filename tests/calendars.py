"""When systemd's `OnCalendar=` fires: asked of systemd where it is there, else worked out."""

from __future__ import annotations

import datetime
import re
import shutil
import subprocess
from collections.abc import Sequence
from zoneinfo import ZoneInfo

_UTC = datetime.timezone.utc
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def firings(lines: Sequence[str], after: datetime.datetime, count: int) -> list[datetime.datetime]:
    """The first times after a moment at which one of the lines fires, in UTC."""
    by_systemd = shutil.which("systemd-analyze")
    find = _ask_systemd if by_systemd else _work_out
    return sorted({time for line in lines for time in find(line, after, count)})[:count]


def _ask_systemd(line: str, after: datetime.datetime, count: int) -> list[datetime.datetime]:
    base = f"{after.astimezone(_UTC):%Y-%m-%d %H:%M:%S} UTC"
    command = ["systemd-analyze", "calendar", f"--iterations={count}", f"--base-time={base}", line]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"TZ": "UTC", "LC_ALL": "C"}
    )
    found = re.findall(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", done.stdout)
    times = [datetime.datetime.fromisoformat(time).replace(tzinfo=_UTC) for time in found]
    return [time for time in times if time > after]


def _work_out(line: str, after: datetime.datetime, count: int) -> list[datetime.datetime]:
    *days, date, time, zone = line.split()
    month, day = date.split("-")[1:]
    hour, minute, _ = time.split(":")
    found, moment = [], after.astimezone(_UTC).replace(second=0, microsecond=0)
    end = moment + datetime.timedelta(days=366 * 9)
    while len(found) < count and moment < end:
        moment += datetime.timedelta(minutes=1)
        here = moment.astimezone(ZoneInfo(zone))
        if not _among(month, here.month) or not _among(day, here.day):
            start = here.replace(hour=0, minute=0, fold=0) + datetime.timedelta(days=1)
            moment = start.astimezone(_UTC) - datetime.timedelta(minutes=1)
            continue
        of_week = not days or _DAYS[here.weekday()] in days[0].split(",")
        if of_week and _among(hour, here.hour) and _among(minute, here.minute):
            found.append(moment)
    return found


def _among(values: str, value: int) -> bool:
    return values == "*" or value in [int(one) for one in values.split(",")]
