"""Progress of a running ingest, seen from the process that started it.

Steps that run in that process find the listener by the run's token. On a worker elsewhere there is
none, and nothing is told until all is done: a portable runner tells its counters only then.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

#: Called with (done, total) numbers of rows.
Progress = Callable[[int, int], None]

_LISTENERS: dict[str, Listener] = {}


class Listener:
    """Counts half rows: one for what was looked at, one for what was written or left out.

    Attributes:
      error: what `progress` raised, a person's interruption for one; None if nothing.
    """

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.error: BaseException | None = None
        self._total = total
        self._progress = progress
        self._halves = 0
        self._lock = threading.Lock()

    def step(self, halves: int) -> None:
        """Counts on and tells the caller."""
        with self._lock:
            self._tell(min(self._halves + halves, 2 * self._total))

    def finish(self) -> None:
        """Tells the caller that all is done, unless the steps have told it."""
        with self._lock:
            if self._halves < 2 * self._total:
                self._tell(2 * self._total)

    def _tell(self, halves: int) -> None:
        self._halves = halves
        if self._progress is None:
            return
        try:
            self._progress(self._halves // 2, self._total)
        except BaseException as error:
            self.error = error
            raise


@contextlib.contextmanager
def listening(token: str, listener: Listener) -> Iterator[None]:
    """Makes the listener known under the token for the block."""
    _LISTENERS[token] = listener
    try:
        yield
    finally:
        del _LISTENERS[token]


def step(token: str, halves: int) -> None:
    """Tells the run's listener, if it is in this process, of so many half rows."""
    listener = _LISTENERS.get(token)
    if listener is not None:
        listener.step(halves)
