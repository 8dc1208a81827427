"""Finding the images: one listing of the folder, looked up by identifier."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from components.errors import PostersError

#: Suffixes of image files, in any case; of an id's several files the first suffix here is taken.
SUFFIXES = ("jpg", "jpeg", "png", "gif", "bmp")


@dataclasses.dataclass(frozen=True, slots=True)
class ImageFile:
    """One entry of the folder.

    Attributes:
      path: the folder's path and the entry's name.
      byte_count: the file's size; 0 if it is no file.
      is_file: whether it is a file, or a link to one.
    """

    path: Path
    byte_count: int
    is_file: bool


@dataclasses.dataclass(frozen=True)
class ImageFolder:
    """The folder's images.

    Attributes:
      path: the folder.
      files: by name less the suffix. An id finds nothing but these, whatever it looks like.
      digest: SHA-256 over the entries' names and sizes, in hexadecimal. Times do not enter it:
        copying a folder changes them.
    """

    path: Path
    files: Mapping[str, ImageFile]
    digest: str


def list_images(path: Path) -> ImageFolder:
    """Lists the folder once; folders below it are not searched.

    Raises:
      PostersError: it is missing, not a folder, or cannot be read.
    """
    if path.exists() and not path.is_dir():
        raise PostersError(f"{path} is not a folder: --images takes the folder with the images")
    try:
        with os.scandir(path) as entries:
            found = [_to_file(path, entry) for entry in entries if _rank(entry.name) is not None]
    except OSError as error:
        cause = error.strerror or error
        raise PostersError(f"cannot list the images folder {path}: {cause}") from error
    digest = hashlib.sha256()
    files: dict[str, ImageFile] = {}
    found.sort(key=lambda file: (_rank(file.path.name), file.path.name))
    for file in found:
        name = os.fsencode(file.path.name)
        digest.update(b"%s\0%d\0%d\0" % (name, file.byte_count, file.is_file))
        files.setdefault(file.path.name.rpartition(".")[0], file)
    return ImageFolder(path, files, digest.hexdigest())


def _rank(name: str) -> int | None:
    """The position of the name's suffix in `SUFFIXES`; None for any other."""
    suffix = name.rpartition(".")[2].lower()
    return SUFFIXES.index(suffix) if suffix in SUFFIXES else None


def _to_file(folder: Path, entry: os.DirEntry[str]) -> ImageFile:
    path = folder / entry.name
    try:
        if entry.is_file():
            return ImageFile(path, entry.stat().st_size, True)
    except OSError:
        pass  # a link that leads nowhere, or round in a circle
    return ImageFile(path, 0, False)
