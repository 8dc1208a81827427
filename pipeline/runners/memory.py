"""How much memory work takes, measured from outside."""

from __future__ import annotations

import contextlib
import threading

import psutil

#: Seconds between two looks at how much memory is in use.
_SECONDS = 0.1


class PeakMemory:
    """The largest resident size of a process and its children while the block runs.

    Attributes:
      peak_bytes: the sum over these processes, at the moment when it was largest.
    """

    def __init__(self, pid: int | None = None) -> None:
        """Watches the process with that number, or this one."""
        self.peak_bytes = 0
        self._pid = pid

    def __enter__(self) -> PeakMemory:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended first
            process = psutil.Process(self._pid)
            while True:
                self.peak_bytes = max(self.peak_bytes, _resident(process))
                if self._stop.wait(_SECONDS):
                    return


def _resident(process: psutil.Process) -> int:
    resident = process.memory_info().rss
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            resident += child.memory_info().rss
    return resident
