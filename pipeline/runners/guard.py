"""What a run has to be safe from: another run in the same workspace, and being cut off."""

from __future__ import annotations

import contextlib
import fcntl
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.errors import PostersError

#: What this process holds already, and which of its threads.
_held: dict[Path, int] = {}


class RunUnderWayError(PostersError):
    """Another process runs in the same workspace."""


class InterruptedRunError(Exception):
    """Ctrl-C or SIGTERM: an ordinary exception, so that what a node began is cleaned up."""


def was_interrupted(error: BaseException | None) -> bool:
    """Whether an error is an interruption, or what a library made of one."""
    while error is not None and not isinstance(error, InterruptedRunError):
        error = error.__cause__ or error.__context__
    return error is not None


@contextlib.contextmanager
def only_run(state: Path) -> Iterator[None]:
    """Lets one run at a time into what a file keeps; the lock lies beside it.

    Within the block it may be asked for again: whoever decides on a run holds it until that is
    through.

    Args:
      state: the file.

    Raises:
      RunUnderWayError: another process, or another thread, is using it.
    """
    lock = state.with_suffix(".lock").resolve()
    if _held.get(lock) == threading.get_ident():
        yield
        return
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunUnderWayError(
                f"another run is using {state}: wait for it, or give this one a workspace "
                "of its own (--set workspace=FOLDER)."
            ) from error
        _held[lock] = threading.get_ident()
        try:
            yield
        finally:
            del _held[lock]


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Makes Ctrl-C and SIGTERM an `InterruptedRunError` while the block runs.

    Raises:
      KeyboardInterrupt: one came between two nodes, where there was nothing to clean up.
    """

    def interrupt(number: int, frame: Any) -> None:
        del frame
        raise InterruptedRunError(signal.Signals(number).name)

    numbers = (signal.SIGINT, signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    except InterruptedRunError as error:
        raise KeyboardInterrupt from error
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
