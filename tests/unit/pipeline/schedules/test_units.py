import configparser
import datetime
import shlex
import shutil
import subprocess
import sys

import pytest

from pipeline.schedules import plan, units
from pipeline.schedules.record import Schedule

NOW = datetime.datetime(2026, 4, 1, 12, tzinfo=datetime.timezone.utc)
#: Everything that a shell, cron or systemd would read in its own way.
ODD = """x={a: '50%', b: "$HOME \\n;#"}"""


def _schedule(text="0 3 13 * fri", missed="once", directory="/tmp") -> Schedule:
    made = plan.make("nightly", text, "Europe/Berlin", missed)
    return Schedule(made, ("--config", "/etc/a b.yaml", "--set", ODD), directory, NOW)


def _read(text: str) -> configparser.ConfigParser:
    read = configparser.RawConfigParser(strict=False)
    read.optionxform = str
    read.read_string(text)
    return read


def test_the_timer_says_when_and_whether_it_catches_up():
    made = units.systemd(_schedule(), "posters")
    assert list(made) == ["posters-posters-nightly.service", "posters-posters-nightly.timer"]
    timer = made["posters-posters-nightly.timer"]
    assert [line for line in timer.splitlines() if line.startswith("OnCalendar")] == [
        "OnCalendar=*-*-13 03:00:00 Europe/Berlin",
        "OnCalendar=Fri *-*-* 03:00:00 Europe/Berlin",
    ]
    assert _read(timer)["Timer"]["Persistent"] == "true"
    left_out = units.systemd(_schedule(missed="never"), "posters")["posters-posters-nightly.timer"]
    assert _read(left_out)["Timer"]["Persistent"] == "false"


def test_the_service_starts_what_is_due_with_every_word_as_it_was():
    service = _read(units.systemd(_schedule(), "posters")["posters-posters-nightly.service"])
    # systemd undoes %% and $$, and then C-style escapes within quotes, as a POSIX shell's are here.
    line = service["Service"]["ExecStart"].replace("%%", "%").replace("$$", "$")
    assert shlex.split(line) == units.command(_schedule())
    assert units.command(_schedule())[:3] == [sys.executable, "-m", "pipeline.cli.main"]
    assert service["Service"]["SuccessExitStatus"] == "3 4"


def test_systemd_takes_the_units(tmp_path):
    made = units.systemd(_schedule(directory=str(tmp_path)), "posters")
    for name, text in made.items():
        (tmp_path / name).write_text(text)
        assert set(_read(text).sections()) in ({"Unit", "Service"}, {"Unit", "Timer", "Install"})
    if analyze := shutil.which("systemd-analyze"):
        done = subprocess.run(
            [analyze, "verify", *(tmp_path / name for name in made)], capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_cron_of_the_same_zone_has_the_line_and_one_for_after_it_was_off():
    lines = units.crontab(_schedule(), "Europe/Paris", NOW)
    assert lines[0].startswith("0 3 13 * 5 cd /tmp && ")
    assert lines[-1].startswith("@reboot cd /tmp && ")
    (line,) = units.crontab(_schedule(missed="never"), "Europe/Berlin", NOW)
    assert line == lines[0]


def test_cron_of_another_zone_asks_every_few_minutes():
    *comment, line = units.crontab(_schedule(), "UTC", NOW)
    assert all(text.startswith("#") for text in comment)
    assert line.startswith("*/5 * * * * cd /tmp && ")


@pytest.mark.parametrize("folder", ["plain", "with space", "50% 'off'"])
def test_a_shell_starts_what_crons_line_says(tmp_path, folder, monkeypatch):
    directory = tmp_path / folder
    directory.mkdir()
    schedule = _schedule(missed="never", directory=str(directory))
    show = [sys.executable, "-c", "import os, sys; print(os.getcwd(), sys.argv[1:])"]
    monkeypatch.setattr(units, "command", lambda schedule: [*show, *schedule.arguments])
    (line,) = units.crontab(schedule, "Europe/Berlin", NOW)
    command = line.split(maxsplit=5)[5]
    assert "%" not in command.replace("\\%", "")  # which would end it and begin its input
    done = subprocess.run(
        ["sh", "-c", command.replace("\\%", "%")], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{directory} {list(schedule.arguments)}\n"
