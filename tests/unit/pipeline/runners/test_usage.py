"""What processes use, as seen from outside."""

import subprocess
import sys
import time

from pipeline.runners.usage import NOTHING, Usage

_BUSY = "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass\n"


def test_work_of_this_process_counts_from_the_block_on():
    with Usage() as before:
        _work(0.4)
    with Usage() as idle:
        time.sleep(0.2)
    assert before.used.cpu_seconds >= 0.25
    assert idle.used.cpu_seconds < 0.2
    assert idle.used.peak_bytes > 1 << 20


def test_work_of_children_counts():
    child = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {_BUSY!r}])"
    process = subprocess.Popen([sys.executable, "-c", child])
    with Usage(process.pid) as usage:
        process.wait()
    assert usage.used.cpu_seconds >= 0.3


def test_a_process_that_is_gone_used_nothing():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with Usage(process.pid) as usage:
        pass
    assert usage.used == NOTHING


def _work(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
