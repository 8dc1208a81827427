"""Files of the source: local ones, and those on any file system that Beam knows (`gs://`...)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from components.errors import PostersError

_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")


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


def open_file(path: str) -> IO[bytes]:
    """Opens a file to read its bytes as they are.

    Raises:
      OSError: it cannot be opened.
    """
    if not is_remote(path):
        return Path(path).open("rb")
    from apache_beam.io.filesystem import CompressionTypes

    return _file_systems(path).open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def list_folder(path: str) -> Iterator[Entry]:
    """The folder's entries, in no order; folders below it are not searched.

    Raises:
      OSError: it is missing or cannot be read.
    """
    if not is_remote(path):
        with os.scandir(path) as entries:
            yield from map(_to_entry, entries)
        return
    folder = path.rstrip("/") + "/"
    for match in _file_systems(path).match([folder + "*"]):
        for found in match.metadata_list:
            name = found.path[len(folder) :]
            if name and "/" not in name:
                yield Entry(name, found.size_in_bytes, True)


def join(folder: str, name: str) -> str:
    """The path of an entry of a folder."""
    return f"{folder.rstrip('/')}/{name}" if is_remote(folder) else str(Path(folder, name))


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.rstrip("/").rpartition("/")[2]


def _file_systems(path: str) -> type:
    from apache_beam.io.filesystems import FileSystems

    try:
        FileSystems.get_filesystem(path)
    except ValueError as error:
        raise PostersError(
            f"{path}: no file system for this address is installed ({error}); copy the files to "
            "this machine, or install Beam's extra for it"
        ) from error
    return FileSystems


def _to_entry(entry: os.DirEntry[str]) -> Entry:
    try:
        if entry.is_file():
            return Entry(entry.name, entry.stat().st_size, True)
    except OSError:
        pass  # a link that leads nowhere, or round in a circle
    return Entry(entry.name, 0, False)
