"""The source as the launcher reads it: the table and the folder's listing, cut into small files.

A table has one reader: a quoted line end means that it cannot be cut without being read. So the
launcher reads it row by row, and hands the steps files of some thousand rows each.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from components.files import write_lines
from components.ingest.images import list_images
from components.ingest.jsonl import read_json_lines
from components.ingest.options import IngestOptions
from components.ingest.rejection import Rejection
from components.ingest.table import Row, read_table
from components.paths import AnyPath, name_of

_LINES_A_FILE = 5_000
_EXAMPLES = 3
_JSON_LINES = (".jsonl", ".ndjson")


class Source(NamedTuple):
    """The path of the table, and of the folder of images, None where all are downloaded."""

    table: str
    images: str | None

    @property
    def table_name(self) -> str:
        """The table's name without its folder."""
        return name_of(self.table)


class Written(NamedTuple):
    """Files that were written, the number of lines in them, and the first few ids or names."""

    files: list[str]
    count: int
    examples: list[str]


def read_source(path: str, options: IngestOptions) -> Iterator[Row | Rejection]:
    """The table's rows, whichever form it has.

    Raises:
      PostersError: it cannot be read.
    """
    form = options.table_format
    if form == "auto":
        form = "jsonl" if path.lower().endswith(_JSON_LINES) else "csv"
    return read_json_lines(path, options) if form == "jsonl" else read_table(path, options)


def write_row_files(source: Source, folder: AnyPath, options: IngestOptions) -> Written:
    """Writes the table's rows and unreadable rows as JSON Lines.

    Raises:
      PostersError: the table cannot be read.
    """
    examples: list[str] = []

    def lines() -> Iterator[list[Any]]:
        for item in read_source(source.table, options):
            if isinstance(item, Row) and len(examples) < _EXAMPLES:
                examples.append(item.id)
            yield list(item)

    return _write(folder, lines(), examples)


def write_image_lists(source: Source, folder: AnyPath) -> Written:
    """Writes the listing of the folder of images as JSON Lines.

    Raises:
      PostersError: the folder cannot be listed.
    """
    examples: list[str] = []

    def lines() -> Iterator[list[Any]]:
        for identifier, entry in list_images(source.images) if source.images else ():
            if not _is_text(entry.name):
                continue  # a name that is no text is no row's id
            # The first by name: the file system's own order is another everywhere.
            examples[:] = sorted([*examples, entry.name])[:_EXAMPLES]
            yield [identifier, *entry]

    return _write(folder, lines(), examples)


def _write(folder: AnyPath, lines: Iterable[list[Any]], examples: list[str]) -> Written:
    folder.mkdir(parents=True)
    files: list[str] = []
    count = 0
    lines = iter(lines)
    while part := list(itertools.islice(lines, _LINES_A_FILE)):
        path = folder / f"{len(files):08d}.jsonl"
        write_lines(path, [json.dumps(line) + "\n" for line in part])
        files.append(str(path))
        count += len(part)
    return Written(files, count, examples)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
