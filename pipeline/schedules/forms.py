"""The forms that schedulers take a cron expression in; all of them mean the same times."""

from __future__ import annotations

from collections.abc import Collection

from pipeline.schedules.cron import Cron, Field

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


def crontab(cron: Cron) -> str:
    """Five fields without names; Sunday is 0. The time zone is the machine's."""
    # A star in front is kept: it decides what happens where clocks are put forward and back.
    minute, hour = _keeping_star(cron.minute), _keeping_star(cron.hour)
    return " ".join(
        (minute, hour, *(_plain(field) for field in (cron.day, cron.month, cron.weekday)))
    )


def kubeflow(cron: Cron) -> str:
    """Six fields, seconds first. The time zone is the installation's."""
    return f"0 {crontab(cron)}"


def vertex(cron: Cron, timezone: str) -> str:
    """Five fields after the name of the time zone."""
    return f"TZ={timezone} {crontab(cron)}"


def systemd(cron: Cron, timezone: str) -> tuple[str, ...]:
    """What `OnCalendar=` takes, one or two; any of them fires.

    systemd wants a day to match date and day of week, so that either of them needs two lines.
    """
    time = f"{_padded(cron.hour)}:{_padded(cron.minute)}:00 {timezone}"
    month = _padded(cron.month)
    by_date = f"*-{month}-{_padded(cron.day)} {time}"
    if cron.weekday.is_full:
        return (by_date,)
    days = ",".join(_WEEKDAYS[day] for day in sorted(cron.weekday.values))
    by_weekday = f"{days} *-{month}-* {time}"
    return (by_weekday,) if cron.day.is_full else (by_date, by_weekday)


def _keeping_star(field: Field) -> str:
    first, *more = field.text.split(",")
    if not first.startswith("*"):
        return _ranges(field.values)
    if field.is_full:
        return "*"
    return f"{first},{_ranges(field.values)}" if more else first


def _plain(field: Field) -> str:
    return "*" if field.is_full else _ranges(field.values)


def _ranges(values: Collection[int]) -> str:
    """A list in which what follows on each other is written as a range."""
    runs: list[list[int]] = []
    for value in sorted(values):
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _padded(field: Field) -> str:
    return "*" if field.is_full else ",".join(f"{value:02}" for value in sorted(field.values))
