"""Ready units for systemd and lines for crontab, which start what is due by a schedule."""

from __future__ import annotations

import datetime
import re
import shlex
import sys
from collections.abc import Sequence

from pipeline.schedules import forms, timezones
from pipeline.schedules.record import Schedule

#: Where cron cannot know the schedule's time zone it asks so often, in minutes.
_POLL_MINUTES = 5


def command(schedule: Schedule) -> list[str]:
    """What the units start: it does what is due, and nothing if nothing is."""
    action = ["schedule", "run", schedule.name, "--due"]
    return [sys.executable, "-m", "pipeline.cli.main", *action, *schedule.arguments]


def systemd(schedule: Schedule, pipeline: str) -> dict[str, str]:
    """A service and its timer, by file name.

    Args:
      schedule: of this machine.
      pipeline: the pipeline's name.
    """
    unit = f"posters-{pipeline}-{schedule.name}"
    plan = schedule.plan
    calendar = "\n".join(f"OnCalendar={line}" for line in forms.systemd(plan.cron, plan.timezone))
    service = f"""\
[Unit]
Description=Retraining of {pipeline} by the schedule {schedule.name}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
WorkingDirectory={_escape(schedule.directory)}
ExecStart={" ".join(_quote(word) for word in command(schedule))}
# Refused by a gate, and nothing to do: no failures of the unit.
SuccessExitStatus=3 4
# posters passes SIGTERM on to the run, which cleans up.
KillMode=mixed
"""
    timer = f"""\
[Unit]
Description=When {pipeline} is retrained by the schedule {schedule.name}

[Timer]
{calendar}
# Whether a time that was missed is caught up.
Persistent={"true" if plan.missed == "once" else "false"}
AccuracySec=1s

[Install]
WantedBy=timers.target
"""
    return {f"{unit}.service": service, f"{unit}.timer": timer}


def crontab(schedule: Schedule, machine_zone: str, now: datetime.datetime) -> Sequence[str]:
    """Lines for `crontab -e`.

    cron knows no time zone but the machine's, and cannot catch up. Where the schedule's zone is
    another, it asks every few minutes; the command knows what is due.

    Args:
      schedule: of this machine.
      machine_zone: the time zone of the machine that cron runs on.
      now: the time.
    """
    words = shlex.join(command(schedule))
    line = f"cd {shlex.quote(schedule.directory)} && {words}".replace("%", r"\%")
    if not timezones.same_clock(schedule.plan.timezone, machine_zone, now):
        return [
            f"# cron goes by {machine_zone}, the schedule by {schedule.plan.timezone}: so it asks",
            f"# every {_POLL_MINUTES} minutes whether something is due.",
            f"*/{_POLL_MINUTES} * * * * {line}",
        ]
    lines = [f"{forms.crontab(schedule.plan.cron)} {line}"]
    if schedule.plan.missed == "once":
        lines += ["# Catches up what was missed while the machine was off.", f"@reboot {line}"]
    return lines


def _escape(text: str) -> str:
    """Text that systemd takes as it is: `%` begins its specifiers."""
    return text.replace("%", "%%")


def _quote(word: str) -> str:
    """A word of a command line, in systemd's own quoting."""
    escaped = _escape(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return escaped if re.fullmatch(r"[\w@%+=:,./$-]+", escaped) else f'"{escaped}"'
