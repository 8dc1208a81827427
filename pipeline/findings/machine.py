"""The machine: platform, disk and memory."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import psutil

from pipeline.findings import Finding, Status

GIB = 1 << 30
#: A run on 7,624 posters leaves about 1 GiB, and each new model and span adds to it.
DISK_WARN_BYTES, DISK_FAIL_BYTES = 5 * GIB, GIB
#: The same run peaks at 3.1 GiB.
MEMORY_WARN_BYTES, MEMORY_FAIL_BYTES = 4 * GIB, 2 * GIB
_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


def check_platform(system: str, machine: str, libc: tuple[str, str]) -> Finding:
    """Whether wheels of the stack exist for this operating system, processor and C library."""
    found = " ".join(filter(None, (system, machine, *libc)))
    old = libc[0] == "glibc" and tuple(map(int, libc[1].split(".")[:2])) < (2, 17)
    if (system, machine, libc[0]) == ("Linux", "x86_64", "glibc") and not old:
        return Finding("platform", Status.OK, found)
    mend = "TFX needs Linux x86_64 with glibc 2.17 or newer: use a container or virtual machine"
    return Finding("platform", Status.FAIL, found, mend)


def check_disk(workspace: Path, free_bytes: int | None = None) -> Finding:
    """Whether the folder that runs write to can be written, and has room.

    Args:
      workspace: that folder; it need not exist.
      free_bytes: the room, if it is known already.
    """
    existing = workspace.absolute()
    try:
        while not existing.exists():
            existing = existing.parent
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        found = f"{existing} cannot be written: {error.strerror}"
        mend = f"make {existing} a folder that you may write, or give another: --set workspace=DIR"
        return Finding("disk", Status.FAIL, found, mend)
    if free_bytes is None:
        free_bytes = shutil.disk_usage(existing).free
    found = f"{free_bytes / GIB:.1f} GiB free at {existing}"
    mend = "free some space, or move to another disk: --set workspace=DIR"
    return _graded("disk", free_bytes, (DISK_WARN_BYTES, DISK_FAIL_BYTES), found, mend)


def usable_memory(container_limit: Path = _CONTAINER_LIMIT) -> int:
    """Bytes of memory that a run can use: what is available, or the container's limit if less."""
    available = psutil.virtual_memory().available
    try:
        # "max" where there is no limit; no such file where there are no control groups.
        return min(available, int(container_limit.read_text()))
    except (OSError, ValueError):
        return available


def check_memory(usable_bytes: int) -> Finding:
    """Whether the memory is enough for a run."""
    found = f"{usable_bytes / GIB:.1f} GiB usable"
    mend = "close other programs, or give the machine or container more; a run peaks at 3 to 4 GiB"
    return _graded("memory", usable_bytes, (MEMORY_WARN_BYTES, MEMORY_FAIL_BYTES), found, mend)


def _graded(name: str, amount: int, limits: tuple[int, int], found: str, mend: str) -> Finding:
    """A finding whose status depends on an amount; `limits` are those to warn and to fail below."""
    warn_below, fail_below = limits
    if amount >= warn_below:
        return Finding(name, Status.OK, found)
    status = Status.FAIL if amount < fail_below else Status.WARN
    return Finding(name, status, found, mend)
