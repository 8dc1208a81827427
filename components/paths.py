"""Paths as users write them: local ones, and those on any file system that Beam knows."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from components.store_path import StorePath

_CHUNK_BYTES = 1 << 20
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")

#: A local path, or one on a store; both have the verbs of pathlib that are used here.
AnyPath = Path | StorePath


class Entry(NamedTuple):
    """One entry of a folder.

    Attributes:
      name: its name in the folder.
      byte_count: the file's size; 0 if it is no file.
      is_file: whether it is a file, or a link to one.
    """

    name: str
    byte_count: int
    is_file: bool


def is_remote(path: str) -> bool:
    """Whether the path names a file system, as `gs://` does, and not a local file."""
    return bool(_SCHEME.match(path))


def to_path(path: str) -> AnyPath:
    """The path of a file or folder, wherever it lies."""
    return StorePath(path.rstrip("/")) if is_remote(path) else Path(path)


def set_store_options(beam_options: Sequence[str]) -> None:
    """Tells the stores' clients what Beam's options say of them: a project, a host of HDFS."""
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import PipelineOptions

    FileSystems.set_options(PipelineOptions(list(beam_options)))


def open_file(path: str) -> IO[bytes]:
    """Opens a file to read its bytes as they are.

    Raises:
      OSError: it cannot be opened.
    """
    return to_path(path).open("rb")


def list_folder(path: str) -> Iterator[Entry]:
    """The folder's entries, in no order; folders below it are not searched.

    Raises:
      OSError: it is missing or cannot be read.
    """
    folder = to_path(path)
    if isinstance(folder, StorePath):
        yield from (Entry(file.name, size, True) for file, size in folder.entries())
        return
    with os.scandir(folder) as entries:
        yield from map(_to_entry, entries)


def join(folder: str, name: str) -> str:
    """The path of an entry of a folder."""
    return str(to_path(folder) / name)


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.rstrip("/").rpartition("/")[2]


def sizes(folder: AnyPath, names: Sequence[str]) -> dict[str, int]:
    """The sizes of those of the files below the folder that are there, in bytes.

    Raises:
      OSError: the store cannot be asked.
    """
    if isinstance(folder, Path):
        files = {name: folder / name for name in names}
        return {name: file.stat().st_size for name, file in files.items() if file.is_file()}
    # One question a folder, not one a file.
    found = {
        file: size
        for parent in {(folder / name).parent for name in names}
        for file, size in parent.entries()
    }
    return {name: found[folder / name] for name in names if folder / name in found}


def bring_file(source: AnyPath, target: AnyPath) -> None:
    """Makes a file that is written no more be at another place too; a folder above it is made.

    On one disk both are one file under two names; on one store the store copies it.

    Raises:
      OSError: it cannot be read, or not be written there.
    """
    both = isinstance(source, StorePath) and isinstance(target, StorePath)
    if both and source.scheme == target.scheme:
        source.copy_to(target)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # Written over, a link to the source from before would take the source with it.
    target.unlink(missing_ok=True)
    if isinstance(source, Path) and isinstance(target, Path):
        # Another disk, or one without links: then it is copied.
        with contextlib.suppress(OSError):
            os.link(source.resolve(), target)
            return
    with source.open("rb") as content, target.open("wb") as file:
        shutil.copyfileobj(content, file, _CHUNK_BYTES)


def remove_tree(folder: AnyPath) -> None:
    """Removes a folder with all that is in it."""
    if isinstance(folder, StorePath):
        folder.remove_tree()
    else:
        shutil.rmtree(folder)


@contextlib.contextmanager
def local_copy(path: AnyPath) -> Iterator[Path]:
    """A local path with the file's content, for what reads local files alone; removed after.

    Raises:
      OSError: the file cannot be read.
    """
    if isinstance(path, Path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        with path.open("rb") as content, copy.open("wb") as file:
            shutil.copyfileobj(content, file)
        yield copy


def _to_entry(entry: os.DirEntry[str]) -> Entry:
    try:
        if entry.is_file():
            return Entry(entry.name, entry.stat().st_size, True)
    except OSError:
        pass  # a link that leads nowhere, or round in a circle
    return Entry(entry.name, 0, False)
