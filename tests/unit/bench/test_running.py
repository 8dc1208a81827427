"""Processes of a bench."""

import os
import sys
import time

import psutil
import pytest

from bench import running

_PARENT = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
path = pathlib.Path(sys.argv[1])
path.with_suffix(".new").write_text(str(child.pid))
path.with_suffix(".new").rename(path)
time.sleep(600)
"""


def test_a_bench_is_ended_with_all_it_started_before_memory_is(tmp_path, monkeypatch):
    pid = tmp_path / "pid"
    monkeypatch.setattr(
        running, "_memory", lambda: (10**9 if pid.exists() else 20 * 10**9, 24 * 10**9)
    )
    monkeypatch.setattr(running, "_LOOK_SECONDS", 0.05)
    with pytest.raises(SystemExit, match=r"1\.0 GB of the machine's 24\.0 GB .* were left"):
        running.start([sys.executable, "-c", _PARENT, str(pid)])
    child = int(pid.read_text())
    while _runs(child):  # init takes a moment to notice
        time.sleep(0.05)


def _runs(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_what_fails_is_told_with_what_it_said():
    command = [sys.executable, "-c", "import sys; print('so far'); sys.exit('no such poster')"]
    with pytest.raises(SystemExit, match=r"(?s)failed:.*so far.*no such poster"):
        running.start(command)
    assert running.start(command, good=(0, 1)) == f"so far{os.linesep}"
