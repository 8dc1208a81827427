"""Writing so that a file or folder is whole under its final name, or not there at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from components.store_path import StorePath

_CHUNK_BYTES = 1 << 20
_UMASK = threading.Lock()


def write_text(path: Path | StorePath, text: str) -> None:
    """Writes `text` to `path` in one step: readers see the old content or the new one."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path | StorePath, content: bytes) -> None:
    """Writes `content` to `path` in one step: readers see the old content or the new one."""
    if isinstance(path, StorePath):
        path.write_bytes(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a full disk does not say which file
        raise


def write_lines(path: Path | StorePath, lines: Iterable[str]) -> None:
    """Writes a file of a step in one go, and does not wait for the disk as `write_bytes` does.

    Another try of the step, at the same time even, writes the same.
    """
    if isinstance(path, StorePath):
        path.write_bytes("".join(lines).encode("utf-8"))
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    with scratch.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
    scratch.rename(path)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yields a scratch folder that becomes `path` by one rename if the block succeeds.

    Raises:
      OSError: `path` exists already and is not an empty folder.
    """
    with scratch_folder(path) as scratch:
        yield scratch
        publish(scratch, path)


@contextlib.contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Yields a folder to fill for `publish`, and removes what was not published.

    It lies beside `path`, for a rename does not cross file systems.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def publish(scratch: Path, path: Path) -> None:
    """Makes a scratch folder `path` in one step.

    Raises:
      OSError: `path` exists already and is not an empty folder.
    """
    scratch.chmod(0o777 & ~_umask())
    scratch.rename(path)


def file_digest(path: Path | StorePath) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def folder_digest(path: Path) -> str:
    """SHA-256 over the relative names and contents of every file below `path`, in hexadecimal."""
    digest = hashlib.sha256()
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()}\0{file_digest(file)}\0".encode())
    return digest.hexdigest()


def _umask() -> int:
    """The process's umask: reading it needs setting it, which one thread does at a time."""
    with _UMASK:
        mask = os.umask(0o022)
        os.umask(mask)
    return mask
