"""What workers of one test session make once, and share."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]
) -> Path:
    """A folder that the first worker who wants it makes for all.

    Args:
      tmp_path_factory: pytest's; its folders are a worker's own.
      name: of the folder, the same for all workers.
      make: fills the empty folder that it is given.
    """
    common = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent
    folder, made = common / name, common / f"{name}.made"
    with (common / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)  # what one left who failed
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
