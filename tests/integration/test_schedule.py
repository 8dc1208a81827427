"""`posters schedule` on this machine: real processes, started at their times."""

import dataclasses
import datetime
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipeline.cli.main import FAILED, INTERRUPTED, OK, main
from pipeline.schedules import firing, plan, record
from pipeline.schedules.firing import NotStartedError
from pipeline.schedules.foreground import Foreground
from pipeline.schedules.record import Schedule
from tests.webhook_server import serving

UTC = datetime.timezone.utc
#: Notes its arguments, and ends as the first of them says.
RETRAIN = """\
import pathlib, sys
with pathlib.Path("started").open("a") as file:
    file.write(" ".join(sys.argv[2:]) + "\\n")
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def ctrl_c():
    """Ctrl-C is heeded: a shell has what it starts in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _arguments(action: str, workspace: Path, *words: str) -> list[str]:
    return ["schedule", action, *words, "--config=sample", f"--set=workspace={workspace}"]


def _create(workspace: Path, *words: str) -> int:
    return main(_arguments("create", workspace, *words))


def _schedule(folder: Path, code: int = 0, text: str = "* * * * *", late=True, missed="once"):
    """A schedule that is due: long ago, or just now."""
    now = datetime.datetime.now(UTC).replace(second=0, microsecond=0)
    if late:
        text = f"{now.minute} {(now - datetime.timedelta(hours=2)).hour} * * *"
    handled = now - datetime.timedelta(days=3 if late else 0, minutes=1)
    made = plan.make("nightly", text, "UTC", missed)
    folder.mkdir(parents=True, exist_ok=True)
    schedule = Schedule(made, (str(code), "--config", "x"), str(folder), handled)
    record.write(folder, schedule)
    return schedule


def _command(schedule: Schedule) -> list[str]:
    return [sys.executable, "-c", RETRAIN, *schedule.arguments]


def _run_due(folder: Path, said: list[str] | None = None, command=_command):
    say = (said if said is not None else []).append
    return firing.run_due(folder, "nightly", lambda: datetime.datetime.now(UTC), say, command)


def _started(folder: Path) -> list[str]:
    path = folder / "started"
    return path.read_text().splitlines() if path.exists() else []


def test_from_creating_to_deleting(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    when = ["--cron", "30 2 * * *", "--timezone", "Europe/Berlin", "--start", "2030-03-30"]
    assert _create(tmp_path, "nightly", *when) == OK
    printed = capsys.readouterr().out
    assert "nightly: `30 2 * * *` in Europe/Berlin; it fires" in printed
    assert "  Sat 2030-03-30 02:30 CET   Sat 2030-03-30 01:30 UTC\n" in printed
    assert "  (clocks are put forward 1 h)\n" in printed
    assert "  Sun 2030-03-31 03:00 CEST   Sun 2030-03-31 01:00 UTC\n" in printed
    kept = record.read(tmp_path / "schedules", "nightly")
    assert kept.arguments == ("--config", "sample", "--set", f"workspace={tmp_path}")
    assert kept.directory == str(tmp_path)
    assert firing.command_of(kept)[1:4] == ["-m", "pipeline.cli.main", "retrain"]

    assert _create(tmp_path, "nightly", *when) == FAILED
    assert "a schedule nightly" in capsys.readouterr().err
    assert main(_arguments("pause", tmp_path, "nightly")) == OK
    assert main(_arguments("list", tmp_path)) == OK
    assert "paused" in capsys.readouterr().out
    assert main(_arguments("resume", tmp_path, "nightly")) == OK
    assert "Sat 2030-03-30 02:30 CET (Sat 2030-03-30 01:30 UTC)" in capsys.readouterr().out
    assert main(_arguments("list", tmp_path)) == OK
    assert "active" in capsys.readouterr().out
    assert main(_arguments("units", tmp_path, "nightly", "--out", str(tmp_path / "units"))) == OK
    printed = capsys.readouterr().out
    for path in (tmp_path / "units").iterdir():
        assert path.read_text() in printed
    assert "schedule run nightly --due --config sample" in printed
    assert main(_arguments("delete", tmp_path, "nightly")) == OK
    assert "posters-posters-sample-nightly.timer" in capsys.readouterr().out
    assert main(_arguments("delete", tmp_path, "nightly")) == FAILED
    assert "there are: none" in capsys.readouterr().err
    assert main(_arguments("list", tmp_path)) == OK
    assert "There is no schedule" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--cron", "0 0 * *"], "4 fields"),
        (["--cron", "0 0 * * *", "--timezone", "Berlin"], "--timezone Berlin"),
        (["Nightly", "--cron", "0 0 * * *"], "Nightly: no name of a schedule"),
        (["--cron", "0 0 * * *", "--end", "2020-01-01"], "does not fire"),
        (["--cron", "0 0 * * *", "--max-cost", "1"], "--max-cost"),
        (["--cron", "0 0 * * *", "--runner", "kubeflow"], "has no section kubeflow"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_kept(tmp_path, capsys, words, error):
    assert _create(tmp_path, *words) == FAILED
    assert error in capsys.readouterr().err
    assert not (tmp_path / "schedules").exists()


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (0, "pushed or held back"),
        (1, "failed"),
        (3, "refused"),
        (4, "skipped"),
        (9, "exit status 9"),
    ],
)
def test_what_is_due_is_started_once_and_what_came_of_it_is_kept(tmp_path, code, outcome):
    _schedule(tmp_path, code)
    said: list[str] = []
    assert _run_due(tmp_path, said).code == code
    assert _started(tmp_path) == ["--config x"]
    assert "(caught up, 2 before it missed): starts" in said[0]
    assert said[1].startswith(f"nightly: {outcome}, ")
    last = record.read(tmp_path, "nightly").last
    assert (last.outcome, last.missed, last.late) == (outcome, 2, True)
    assert last.planned <= last.started <= last.ended
    assert _run_due(tmp_path) is None
    assert len(_started(tmp_path)) == 1


def test_what_was_missed_is_left_out_where_that_is_wanted(tmp_path):
    _schedule(tmp_path, missed="never")
    said: list[str] = []
    assert _run_due(tmp_path, said) is None
    assert said[0].endswith("was missed, and is not caught up")
    assert record.read(tmp_path, "nightly").last.outcome == "missed"
    assert not _started(tmp_path)
    assert _run_due(tmp_path, said) is None and len(said) == 1


def test_never_two_at_once_and_the_second_is_caught_up(tmp_path):
    _schedule(tmp_path)
    said: list[str] = []
    with firing.only_one(tmp_path) as free:
        assert free
        assert _run_due(tmp_path, said) is None
    assert "another scheduled retraining of this workspace still runs" in said[0]
    assert not _started(tmp_path)
    assert _run_due(tmp_path).code == 0


def test_a_scheduler_that_is_killed_does_not_start_the_same_again(tmp_path):
    _schedule(tmp_path)

    def killed(schedule):
        raise MemoryError

    with pytest.raises(MemoryError):
        _run_due(tmp_path, command=killed)
    last = record.read(tmp_path, "nightly").last
    assert last.outcome is None
    assert _run_due(tmp_path) is None


def test_what_is_changed_meanwhile_stays_changed(tmp_path):
    _schedule(tmp_path)

    def pausing(schedule):
        record.write(tmp_path, record.with_pause(record.read(tmp_path, "nightly")))
        return _command(schedule)

    assert _run_due(tmp_path, command=pausing).code == 0
    kept = record.read(tmp_path, "nightly")
    assert kept.paused and kept.last.outcome == "pushed or held back"

    _schedule(tmp_path)

    def deleting(schedule):
        record.delete(tmp_path, "nightly")
        return _command(schedule)

    assert _run_due(tmp_path, command=deleting).code == 0
    assert not record.names(tmp_path)


def _gone(folder: Path) -> Path:
    """Where a schedule that is due is to be started: nothing is there."""
    schedule = _schedule(folder)
    gone = folder / "gone"
    record.write(folder, dataclasses.replace(schedule, directory=str(gone)))
    return gone


def test_what_cannot_be_started_stays_due_and_its_folder_is_named(tmp_path):
    gone = _gone(tmp_path)
    for again in (False, True):
        with pytest.raises(NotStartedError, match=r"gone: .* cannot be started there") as error:
            _run_due(tmp_path)
        assert error.value.again == again
        last = record.read(tmp_path, "nightly").last
        assert last.outcome == "not started" and last.ended
    gone.mkdir()
    assert _run_due(tmp_path).code == 0
    assert record.read(tmp_path, "nightly").last.outcome == "pushed or held back"
    assert _run_due(tmp_path) is None


@pytest.fixture
def due(tmp_path, monkeypatch):
    """A workspace with a schedule that is due, for the command line."""
    folder = tmp_path / "schedules"

    def make(code: int) -> list[str]:
        _schedule(folder, code)
        monkeypatch.setattr(firing, "command_of", _command)
        return _arguments("run", tmp_path, "--due")

    return make


@pytest.mark.parametrize(("code", "status"), [(0, 0), (1, 1), (3, 3), (4, 4), (130, 130), (9, 1)])
def test_the_status_is_that_of_the_retraining(due, code, status):
    assert main(due(code)) == status


def test_nothing_due_is_no_failure(tmp_path, capsys):
    assert _create(tmp_path, "--cron", "0 3 * * *") == OK
    capsys.readouterr()
    assert main(_arguments("run", tmp_path, "--due")) == OK
    assert capsys.readouterr().out == ""


def test_a_process_that_could_not_tell_is_told_of(due, tmp_path, monkeypatch):
    with serving() as webhook:
        settings = json.dumps({"webhooks": [{"url": webhook.address}]})
        for code in (1, 9):
            assert main([*due(code), f"--set=notify={settings}"]) == FAILED
    ((_, sent),) = webhook.received  # a run that failed tells of it itself
    assert (sent["event"], sent["reasons"]) == ("failed", ["exit status 9"])


def test_what_cannot_be_started_is_told_of_once_and_the_others_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr(firing, "command_of", _command)
    folder = tmp_path / "schedules"
    _gone(folder)
    nightly = record.read(folder, "nightly")
    made = dataclasses.replace(nightly.plan, name="other")
    record.write(folder, dataclasses.replace(nightly, plan=made, directory=str(folder)))
    with serving() as webhook:
        settings = json.dumps({"webhooks": [{"url": webhook.address}]})
        for _ in range(2):
            arguments = _arguments("run", tmp_path, "--due")
            assert main([*arguments, f"--set=notify={settings}"]) == FAILED
    ((_, sent),) = webhook.received
    assert sent["event"] == "failed" and "nightly could not be started: " in sent["text"]
    assert len(_started(folder)) == 1


def test_in_the_foreground_what_could_not_be_started_is_tried_again(tmp_path):
    gone = _gone(tmp_path)
    told = []

    def ended(name, end) -> None:
        told.append(end)
        if isinstance(end, NotStartedError):
            gone.mkdir()
        else:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        Foreground(tmp_path, [], lambda line: None, ended, _command, look_seconds=0.05).run()
    assert not told[0].again and told[1].outcome == "pushed or held back"


def test_in_the_foreground_new_schedules_are_seen_and_a_stop_is_passed_on(tmp_path):
    script = f"""\
import sys
from pathlib import Path
from pipeline.schedules.foreground import Foreground
folder = Path({str(tmp_path)!r})
child = "import pathlib, signal, sys, time\\n" \\
    "def stop(*_): pathlib.Path('stopped').write_text('by SIGTERM'); sys.exit(130)\\n" \\
    "signal.signal(signal.SIGTERM, stop); pathlib.Path('started').touch(); time.sleep(60)"
Foreground(
    folder, [], print, lambda name, ended: print("ended", ended.code),
    lambda schedule: [sys.executable, "-c", child], look_seconds=0.1,
).run()
print("over", flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        _schedule(tmp_path)
        deadline = time.monotonic() + 30
        while not (tmp_path / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGTERM)
        printed = process.communicate(timeout=30)[0].decode()
    assert (tmp_path / "stopped").read_text() == "by SIGTERM"
    assert "nightly: interrupted" in printed
    assert printed.splitlines()[-2:] == ["ended 130", "over"]
    assert record.read(tmp_path, "nightly").last.outcome == "interrupted"


def test_the_foreground_heeds_what_is_created_paused_and_deleted(tmp_path):
    said: list[str] = []
    ended: list[str] = []
    watch = Foreground(
        tmp_path,
        ["nightly"],
        said.append,
        lambda name, end: ended.append(end.outcome),
        _command,
        look_seconds=0.05,
    )

    def wait(ready) -> None:
        deadline = time.monotonic() + 30
        while not ready() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert ready(), said

    def act() -> None:
        try:
            record.write(tmp_path, _other("other"))  # not asked for
            schedule = _schedule(tmp_path)
            wait(lambda: ended == ["pushed or held back"])
            # An hourly one in its place, at once: known by its new times.
            record.write(tmp_path, _other("nightly"))
            wait(lambda: any("`0 * * * *`" in line for line in said))
            record.write(tmp_path, record.with_pause(schedule))
            wait(lambda: len(said) >= 4)
            (tmp_path / "nightly.json").write_text("{")
            wait(lambda: any("is no schedule" in line for line in said))
            record.delete(tmp_path, "nightly")
            _schedule(tmp_path, 3)
            wait(lambda: ended == ["pushed or held back", "refused"])
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=act)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        watch.run()
    thread.join()
    assert ended == ["pushed or held back", "refused"]
    assert _started(tmp_path) == ["--config x"] * 2
    assert not any(line.startswith("other") for line in said)
    assert sum("is no schedule" in line for line in said) == 1


def _other(name: str) -> Schedule:
    made = plan.make(name, "0 * * * *", "UTC")
    return Schedule(made, ("0", "--config", "x"), "/", datetime.datetime.now(UTC))


def test_at_its_time_the_foreground_starts_it(tmp_path, monkeypatch):
    """The library wakes at the time itself: the folder is looked at once, before."""
    soon = datetime.datetime.now(UTC) + datetime.timedelta(seconds=1)
    monkeypatch.setattr(plan.Plan, "firings", lambda self, after: (t for t in [soon] if t > after))
    handled = soon - datetime.timedelta(hours=1)
    record.write(tmp_path, Schedule(_other("nightly").plan, ("0",), str(tmp_path), handled))
    ended = []

    def end(name, result) -> None:
        ended.append(datetime.datetime.now(UTC))
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        Foreground(tmp_path, [], lambda line: None, end, _command, look_seconds=600).run()
    assert ended[0] >= soon
    assert record.read(tmp_path, "nightly").last.planned == soon


def test_interrupted_is_a_status_of_its_own(due, monkeypatch):
    arguments = due(0)
    monkeypatch.setattr(firing, "start", lambda *_: firing.Ended(130, interrupted=True))
    assert main(arguments) == INTERRUPTED
