"""Finding the images: one listing of the folder, looked up by identifier.

An id finds nothing but what the listing holds, whatever it looks like: it is never made a path.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from components import paths
from components.errors import PostersError
from components.paths import Entry

#: Suffixes of image files, in any case; of an id's several files the first suffix here is taken.
SUFFIXES = ("jpg", "jpeg", "png", "gif", "bmp", "webp")


class ListingDigest:
    """SHA-256 over names and sizes, whatever their order, one entry at a time.

    Times do not enter it: copying a folder changes them.
    """

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    def add(self, entry: Entry) -> None:
        """Takes one entry in."""
        name = os.fsencode(entry.name)
        content = b"%s\0%d\0%d\0" % (name, entry.byte_count, entry.is_file)
        # A sum does not depend on the order, so that no list of all names has to be sorted.
        self._sum += int.from_bytes(hashlib.sha256(content).digest(), "big")
        self.count += 1

    def hexdigest(self) -> str:
        """The digest of all entries taken in, in hexadecimal."""
        total = f"{self.count}:{self._sum:x}".encode()
        return hashlib.sha256(total).hexdigest()


def list_images(folder: str) -> Iterator[tuple[str, Entry]]:
    """Yields (id, entry) of every entry with an image's suffix, in no order.

    Raises:
      PostersError: the folder is missing, not a folder, or cannot be read.
    """
    if not paths.is_remote(folder) and Path(folder).exists() and not Path(folder).is_dir():
        raise PostersError(f"{folder} is not a folder: --images takes the folder with the images")
    try:
        for entry in paths.list_folder(folder):
            if rank(entry.name) is not None:
                yield entry.name.rpartition(".")[0], entry
    except OSError as error:
        cause = error.strerror or error
        raise PostersError(f"cannot list the images folder {folder}: {cause}") from error


def choose(entries: Iterable[Entry]) -> Entry | None:
    """Of one id's files the one to take: by suffix, then by name; None if there is none."""
    return min(entries, key=lambda entry: (rank(entry.name), entry.name), default=None)


def rank(name: str) -> int | None:
    """The position of the name's suffix in `SUFFIXES`; None for any other."""
    suffix = name.rpartition(".")[2].lower()
    return SUFFIXES.index(suffix) if suffix in SUFFIXES else None
