"""Which images are asked about: files, folders of files, or the rows of a table."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from components import paths
from components.errors import PostersError
from components.image_header import pixel_count
from components.ingest.decode import Fault
from components.ingest.download import Downloader
from components.ingest.images import choose, list_images
from components.ingest.options import IngestOptions
from components.ingest.rejection import Rejection
from components.ingest.source import read_source
from components.paths import Entry


class Poster(NamedTuple):
    """One image to be asked about.

    Attributes:
      id: what names it in an answer: of a table the row's identifier, of a file its name without
        the suffix.
      path: where it lies; empty if it is downloaded, or there is none.
      url: where to download it from; empty if it lies somewhere.
      problem: why there is no image, or empty.
    """

    id: str
    path: str = ""
    url: str = ""
    problem: str = ""

    @property
    def where(self) -> str:
        """What names it for a person."""
        return self.path or self.url or self.id


class Unreadable(Exception):
    """An image that cannot be asked about; says why."""


def in_files(names: Sequence[str]) -> Iterator[Poster]:
    """The files named, and in place of a folder those in it by name, hidden ones left out.

    Raises:
      PostersError: a folder holds none, or cannot be listed.
    """
    for name in names:
        entries = _entries(name)
        if entries is None:
            yield _of_file(name)  # if it is missing, reading it says so
            continue
        found = [entry for entry in entries if not entry.startswith(".")]
        if not found:
            raise PostersError(f"{name} holds no file; folders below it are not searched.")
        for entry in found:
            yield _of_file(paths.join(name, entry))


def _entries(name: str) -> list[str] | None:
    """The files in a folder by name; None if it is none. A store has no empty folders."""
    try:
        found = sorted(entry.name for entry in paths.list_folder(name) if entry.is_file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if paths.is_remote(name):
            return None
        raise PostersError(f"cannot list {name}: {error.strerror or error}") from error
    return None if paths.is_remote(name) and not found else found


def in_table(table: str, images: str | None, options: IngestOptions) -> Iterator[Poster]:
    """The rows of a table as `posters ingest` reads it; it may lack the column of labels.

    Args:
      table: CSV or JSON Lines.
      images: the folder with a file `<id>.<suffix>` for each row; None where all are downloaded.
      options: columns, encoding and the like.

    Raises:
      PostersError: the table or the folder cannot be read.
    """
    if images is None and options.url_column is None:
        raise PostersError(
            "there is nowhere to take images from: give --images, or name the table's column of "
            "addresses with --set ingest.url_column=NAME"
        )
    # Labels are what is asked for: the column of ids, which must be there, stands in for theirs.
    # Titles and years nobody needs.
    columns = {"labels_column": options.id_column, "title_column": None, "year_column": None}
    entries: dict[str, list[Entry]] = collections.defaultdict(list)
    for identifier, entry in list_images(images) if images is not None else ():
        entries[identifier].append(entry)
    for row in read_source(table, dataclasses.replace(options, **columns)):
        if isinstance(row, Rejection):
            yield Poster(row.id or f"line {row.line}", problem=row.detail)
        elif entry := choose(entries.get(row.id, ())):
            yield Poster(row.id, paths.join(str(images), entry.name))
        elif row.url:
            yield Poster(row.id, url=row.url)
        else:
            yield Poster(row.id, problem=f"no image in {images}" if images else "no address")


def read(poster: Poster, options: IngestOptions, downloader: Downloader | None = None) -> bytes:
    """An image's bytes.

    Args:
      poster: which.
      options: limits on bytes and pixels.
      downloader: for those that are downloaded.

    Raises:
      Unreadable: there is none, or it is beyond the limits.
    """
    if poster.problem:
        raise Unreadable(poster.problem)
    if poster.url:
        content = _download(poster.url, downloader)
    else:
        content = _read_file(poster.path, options.max_image_bytes)
    pixels = pixel_count(content)
    if pixels is not None and pixels > options.max_image_pixels:
        raise Unreadable(
            f"{pixels / 1e6:.1f} megapixels; {options.max_image_pixels / 1e6:g} are allowed "
            "(ingest.max_image_pixels)"
        )
    return content


def _read_file(path: str, max_bytes: int) -> bytes:
    try:
        with paths.open_file(path) as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error
    if len(content) > max_bytes:
        raise Unreadable(f"more than {max_bytes} bytes (ingest.max_image_bytes)")
    return content


def _download(url: str, downloader: Downloader | None) -> bytes:
    if downloader is None:
        raise Unreadable("no folder for downloads")
    try:
        return downloader.fetch(url)
    except Fault as fault:
        raise Unreadable(str(fault.args[1])) from fault


def _of_file(path: str) -> Poster:
    name = paths.name_of(path)
    return Poster(name.rpartition(".")[0] or name, path)
