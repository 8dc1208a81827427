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
