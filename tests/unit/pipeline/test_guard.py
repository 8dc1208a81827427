import os
import signal
import time

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


def test_one_run_at_a_time(tmp_path):
    state = tmp_path / "state.sqlite"
    refused = pytest.raises(PostersError, match=r"another run is using .*state\.sqlite")
    with guard.only_run(state), refused, guard.only_run(state):
        pass
    with guard.only_run(state):
        pass


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
