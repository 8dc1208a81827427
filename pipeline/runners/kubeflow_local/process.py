"""Starts a container's command as a process, and leaves nothing of it behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import components
from components.errors import PostersError
from pipeline.runners.usage import Usage, Used

#: How this machine reaches the network and stores: a cluster has ways of its own.
_FROM_THIS_MACHINE = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "SSL_CERT_FILE", "GOOGLE_APPLICATION_CREDENTIALS",
)  # fmt: skip
#: Seconds that a process has to end by itself once it is told to.
_GRACE_SECONDS = 5.0
#: Bytes that the kernel takes as one argument (MAX_ARG_STRLEN), the end mark included.
_ARGUMENT_BYTES = 128 * 1024
_LAST_LINES = 15
#: Characters of one of them that are shown: some errors quote all the bytes they could not read.
_LINE_CHARACTERS = 300
#: How Python ends the traceback of an error that a person can mend.
_MENDABLE = f"\n{PostersError.__module__}.{PostersError.__qualname__}: "
_TRACEBACK = "\nTraceback (most recent call last)"


def run(command: Sequence[str], variables: Mapping[str, str], log: Path) -> Used:
    """Runs a command to its end: empty working folder, an environment of its own, a log.

    The programs are those of this Python's environment.

    Args:
      command: the program and its arguments.
      variables: what the container sets besides.
      log: what the process writes is added to it.

    Returns:
      What the process and its children used.

    Raises:
      PostersError: it cannot be started, or failed; the message has its last words.
    """
    longest = max(len(os.fsencode(argument)) for argument in command)
    if longest >= _ARGUMENT_BYTES:
        raise PostersError(
            f"an argument of its command has {longest} bytes, and Linux takes {_ARGUMENT_BYTES}: "
            "no cluster can start it either. Give it shorter settings."
        )
    # A short path: sockets that processes make among their temporary files bear no long ones.
    with tempfile.TemporaryDirectory(prefix="posters-") as scratch, log.open("ab") as file:
        environment = _environment(Path(scratch)) | variables
        program = shutil.which(command[0], path=environment["PATH"])
        if program is None:
            raise PostersError(f"its command {command[0]} is not there on this machine.")
        process = subprocess.Popen(
            [program, *command[1:]],
            cwd=Path(scratch, "work"),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            with Usage(process.pid) as usage:
                status = process.wait()
        finally:
            _end(process)
    if status:
        raise PostersError(f"{_reason(log, status)}\nIts log: {log}")
    return usage.used


def _environment(scratch: Path) -> dict[str, str]:
    for name in ("work", "home", "tmp"):
        (scratch / name).mkdir()
    # In an image the package is installed; here it lies where this process has it from.
    package = Path(components.__file__).parents[1]
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
        "PYTHONPATH": str(package),
        "HOME": str(scratch / "home"),
        "TMPDIR": str(scratch / "tmp"),
        "LANG": "C.UTF-8",
        **{name: os.environ[name] for name in _FROM_THIS_MACHINE if name in os.environ},
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process if it is still there, and in any case all that it started."""
    try:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_SECONDS)
    finally:  # a second interrupt too
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _reason(log: Path, status: int) -> str:
    text = log.read_text(encoding="utf-8", errors="replace").rstrip()
    _, mendable, message = text.rpartition(_MENDABLE)
    if mendable and _TRACEBACK not in message:  # else something came of it that is no such error
        return message
    how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
    last = [_shortened(line) for line in text.splitlines()[-_LAST_LINES:]]
    lines = "\n".join(f"  {line}" for line in last)
    return f"its process ended with {how}; its last words:\n{lines}"


def _shortened(line: str) -> str:
    return line if len(line) <= _LINE_CHARACTERS else f"{line[:_LINE_CHARACTERS]} ..."
