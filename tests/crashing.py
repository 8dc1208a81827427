"""Verbs in processes of their own, which are killed where a test says so.

The processes are forked from one that has loaded TensorFlow and TFX already, so that each costs
seconds less.
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

_LOADED = ("pipeline.dag", "pipeline.runners.local", "components.trainer.extractor")
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.crashing", *_LOADED])


@dataclasses.dataclass(frozen=True)
class Blow:
    """Where a process kills itself.

    Attributes:
      node: of the DAG.
      writing: when the node has written something, and before that is recorded; else when it
        starts.
      watched: a folder that it may write to, besides those of its artifacts.
    """

    node: str
    writing: bool
    watched: Path


@dataclasses.dataclass(frozen=True)
class CutOff:
    """Where `posters gc` kills itself.

    Attributes:
      files: after it removed so many from folders.
    """

    files: int


class Verb:
    """A verb under way; what it prints is in a file."""

    def __init__(
        self,
        arguments: Sequence[str],
        log: Path,
        blow: Blow | CutOff | None = None,
        largest_file: int | None = None,
    ) -> None:
        """Starts it.

        Args:
          arguments: as after `posters`.
          log: where it prints to.
          blow: where it kills itself, or None.
          largest_file: bytes that a file may have, or None.
        """
        self._log = log
        self._process = _CONTEXT.Process(
            target=_run, args=(list(arguments), log, blow, largest_file)
        )
        self._process.start()

    def wait(self, seconds: float = 300) -> tuple[int, str]:
        """Its exit status, negative if a signal ended it, and what it printed."""
        self._process.join(seconds)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
            raise TimeoutError(self._log.read_text())
        return self._process.exitcode, self._log.read_text()


def _run(
    arguments: list[str], log: Path, blow: Blow | CutOff | None, largest_file: int | None
) -> None:
    with log.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
    if isinstance(blow, CutOff):
        _count_removals(blow)
    elif blow is not None:
        _prepare(blow)
    from pipeline.cli.main import main

    status = main(arguments)
    sys.stdout.flush()
    # Threads that Beam left must not keep it.
    os._exit(status)


def _count_removals(blow: CutOff) -> None:
    unlink, left = os.unlink, iter(range(blow.files))

    def stricken_unlink(path, *, dir_fd=None):
        unlink(path, dir_fd=dir_fd)
        # Only what removes whole folders names files below an open one.
        if dir_fd is not None and next(left, None) is None:
            _die()

    os.unlink = stricken_unlink


def _prepare(blow: Blow) -> None:
    from tfx.orchestration.portable.launcher import Launcher

    run_executor, launch = Launcher._run_executor, Launcher.launch

    def stricken_executor(self, execution_info):
        if execution_info.pipeline_node.node_info.id != blow.node:
            return run_executor(self, execution_info)
        if blow.writing:
            outputs = [
                Path(artifact.uri)
                for artifacts in execution_info.output_dict.values()
                for artifact in artifacts
            ]
            with _killed_at_first_change([*outputs, blow.watched]):
                run_executor(self, execution_info)
        _die()

    def stricken_launch(self):
        # A resolver has no executor.
        if self._pipeline_node.node_info.id == blow.node and self._executor_operator is None:
            _die()
        return launch(self)

    Launcher._run_executor, Launcher.launch = stricken_executor, stricken_launch


@contextlib.contextmanager
def _killed_at_first_change(folders: Sequence[Path]) -> Iterator[None]:
    def watch() -> None:
        while _names(folders) == before:
            time.sleep(0.0005)
        _die()

    before = _names(folders)
    threading.Thread(target=watch, daemon=True).start()
    yield


def _names(folders: Sequence[Path]) -> set[str]:
    found = set()
    for folder in folders:
        for where, _, files in os.walk(folder):
            found.update(f"{where}/{name}" for name in files)
    return found


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()
