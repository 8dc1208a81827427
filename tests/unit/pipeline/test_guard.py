import concurrent.futures
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.errors import PostersError
from pipeline.runners import guard


def _signal(number):
    os.kill(os.getpid(), number)
    time.sleep(1)  # the handler runs between two instructions


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_an_exception_within_the_block_and_an_interrupt_outside(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt) as interrupt, guard.interruptible():
        _signal(number)
    assert isinstance(interrupt.value.__cause__, guard.InterruptedRunError)
    assert signal.getsignal(number) == before


def test_what_was_cleaned_up_within_the_block_goes_on_as_it_is():
    with pytest.raises(LookupError), guard.interruptible():
        try:
            _signal(signal.SIGINT)
        except guard.InterruptedRunError as error:
            raise LookupError from error


_HOLD = """
import sys
from pathlib import Path
from pipeline.runners import guard
with guard.only_run(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_run_at_a_time_and_a_killed_one_lets_go(tmp_path):
    state = tmp_path / "state.sqlite"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(state)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        refused = pytest.raises(guard.RunUnderWayError, match=r"run is using .*state\.sqlite")
        with refused, guard.only_run(state):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with guard.only_run(state):
        pass


def test_who_holds_it_may_ask_again_and_another_thread_may_not(tmp_path):
    state = tmp_path / "state.sqlite"
    with concurrent.futures.ThreadPoolExecutor(1) as pool, guard.only_run(state):
        with guard.only_run(state):
            pass
        other = pool.submit(guard.only_run(state).__enter__)
        assert isinstance(other.exception(), guard.RunUnderWayError)
    assert issubclass(guard.RunUnderWayError, PostersError)


def test_what_a_library_makes_of_an_interruption_is_one():
    try:
        try:
            raise guard.InterruptedRunError("SIGINT")
        except guard.InterruptedRunError as error:
            raise ValueError("in the middle of something") from error
    except ValueError as error:
        assert guard.was_interrupted(error)
    try:
        try:
            raise guard.InterruptedRunError("SIGINT")
        except guard.InterruptedRunError:
            raise ValueError("in the middle of something")  # noqa: B904 - as libraries do
    except ValueError as error:
        assert guard.was_interrupted(error)
    assert not guard.was_interrupted(ValueError("another"))
    assert not guard.was_interrupted(None)
