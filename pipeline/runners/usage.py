"""How much memory and processor time work takes, measured from outside."""

from __future__ import annotations

import contextlib
import dataclasses
import threading

import psutil

#: Seconds between two looks.
_SECONDS = 0.1


@dataclasses.dataclass(frozen=True)
class Used:
    """What processes used.

    Attributes:
      peak_bytes: the sum of their resident sizes, at the moment when it was largest.
      cpu_seconds: of processor time, on all cores; of a process that ended, up to the last look at
        it.
    """

    peak_bytes: int
    cpu_seconds: float


NOTHING = Used(0, 0.0)


class Usage:
    """Watches what a process and its children use while the block runs.

    Attributes:
      used: what they used so far.
    """

    def __init__(self, pid: int | None = None) -> None:
        """Watches the process with that number, or this one."""
        self.used = NOTHING
        self._pid = pid

    def __enter__(self) -> Usage:
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
            # A process of its own began with the block; this one may have worked before.
            before = 0.0 if self._pid else _look(process)[1]
            more = True
            while more:
                more = not self._stop.wait(_SECONDS)
                resident, seconds = _look(process)
                self.used = Used(
                    max(self.used.peak_bytes, resident),
                    max(self.used.cpu_seconds, seconds - before),
                )


def _look(process: psutil.Process) -> tuple[int, float]:
    """Resident bytes and processor seconds of a process, its children, and those that ended."""
    resident, seconds = process.memory_info().rss, sum(process.cpu_times()[:4])
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            resident += child.memory_info().rss
            seconds += sum(child.cpu_times()[:4])
    return resident, seconds
