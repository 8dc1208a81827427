"""One id's rows, files and earlier publication: what becomes of it, up to its image."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from components import paths
from components.ingest import images
from components.ingest.decode import Check, Decode, Fault, check_content
from components.ingest.download import Downloader
from components.ingest.images import SUFFIXES
from components.ingest.options import IngestOptions
from components.ingest.records import Item
from components.ingest.rejection import Reason, Rejection, excerpt
from components.ingest.table import Row
from components.paths import AnyPath, Entry


class Before(NamedTuple):
    """An id's earlier publication: its span's name, SHA-256 of its image, its sorted labels."""

    span: str
    digest: bytes
    labels: tuple[str, ...]


class Candidate(NamedTuple):
    """A row whose image is to be looked at; `entry` is None if it is to be downloaded."""

    row: Row
    entry: Entry | None
    before: Before | None


class Known(NamedTuple):
    """A row that earlier spans hold as it is."""

    row: Row


def find_image(
    row: Row, entries: Sequence[Entry], before: Before | None
) -> Candidate | Known | Rejection:
    """Finds a row's image, and says whether there is anything to look at."""
    if before is not None and tuple(sorted(row.labels)) != before.labels:
        detail = (
            f"labels {'|'.join(row.labels)} here and {'|'.join(before.labels)} in {before.span}, "
            "which stays as it is"
        )
        return Rejection(row.line, row.id, Reason.CHANGED_LABELS, detail)
    entry = images.choose(entries)
    if entry is not None or row.url:
        return Candidate(row, entry, before)
    if before is not None:
        return Known(row)
    detail = f"no {excerpt(row.id)} with .{', .'.join(SUFFIXES)} in the images folder"
    return Rejection(row.line, row.id, Reason.MISSING_IMAGE, detail)


def look(
    candidate: Candidate,
    folder: str | None,
    options: IngestOptions,
    decode: Decode,
    downloader: Downloader,
) -> Item | Known | Rejection:
    """Reads a candidate's image and decodes it in full, unless it was published already."""
    row, entry, before = candidate
    where = row.url
    try:
        if entry is None:
            path, content = str(downloader.path_of(row.url)), downloader.fetch(row.url)
        else:
            path = paths.join(str(folder), entry.name)
            # The folder's name, not its whole path: the list is the same wherever it lies.
            where = f"{paths.name_of(str(folder))}/{entry.name}"
            content = _read(path, entry, options)
        if before is not None:
            if hashlib.sha256(content).digest() == before.digest:
                return Known(row)
            raise Fault(
                Reason.CHANGED_IMAGE, f"it is not the one in {before.span}, which stays as it is"
            )
        check = check_content(content, options, decode)
    except Fault as fault:
        reason, detail = fault.args
        shown = detail if detail.startswith(where) else f"{excerpt(where)}: {detail}"
        return Rejection(row.line, row.id, reason, shown)
    return _to_item(row, path, len(content), check)


def cache_folder(out: AnyPath, options: IngestOptions, name: str) -> AnyPath:
    """Where downloads are kept."""
    return paths.to_path(options.download_cache) if options.download_cache else out / name


def _read(path: str, entry: Entry, options: IngestOptions) -> bytes:
    if not entry.is_file:
        raise Fault(Reason.NOT_A_FILE, "it is a folder, a broken link or a device")
    if entry.byte_count > options.max_image_bytes:
        raise Fault(Reason.TOO_LARGE, f"{entry.byte_count} bytes, above {options.max_image_bytes}")
    try:
        with paths.open_file(path) as file:
            return file.read()
    except OSError as error:
        raise Fault(Reason.UNREADABLE, error.strerror or str(error)) from error


def _to_item(row: Row, path: str, byte_count: int, check: Check) -> Item:
    return Item(
        id=row.id,
        line=row.line,
        source_labels=row.labels,
        labels=row.labels,
        title=row.title,
        year=row.year,
        path=path,
        digest=check.digest,
        perceptual_hash=check.perceptual_hash,
        as_it_came=check.as_it_came,
        byte_count=byte_count,
    )
