"""Reading a CSV: one row an image, with its labels, title and year."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import NamedTuple, TextIO

from components import paths
from components.errors import PostersError
from components.ingest.options import IngestOptions
from components.ingest.rejection import Reason, Rejection, excerpt
from components.ingest.vocabulary import split_labels

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What the "surrogateescape" handler makes of bytes that the encoding does not have.
_UNDECODED = re.compile("[\udc80-\udcff]")
_REPLACEMENT = "\ufffd"
_YEAR = re.compile(r"([0-9]{4})(?:\.0)?")
_YEAR_AT_END = re.compile(r"\(([0-9]{4})\)$")
_DEFECTS = {
    Reason.NUL_BYTE: "the row holds a NUL byte",
    Reason.BAD_ENCODING: "the row holds bytes that ingest.encoding cannot decode",
}


class Row(NamedTuple):
    """One readable row.

    Attributes:
      line: the line of the table on which it begins, from 1.
      id: the identifier, not empty, without spaces around it, otherwise as written.
      labels: the labels in the row's order, without repeats.
      title: the caption, empty when there is none.
      year: None when there is none.
      url: where to download the image from, empty when there is no such column.
    """

    line: int
    id: str
    labels: tuple[str, ...]
    title: str
    year: int | None
    url: str = ""


def read_table(path: str, options: IngestOptions) -> Iterator[Row | Rejection]:
    """Reads the CSV at `path`, a row at a time.

    Raises:
      PostersError: the file is missing, empty or of another form than `options` say.
    """
    number = 0
    try:
        encoding = find_encoding(path, options)
        # With newline="" the csv module sees line ends inside quotes as they are.
        with (
            paths.open_file(path) as content,
            io.TextIOWrapper(content, encoding, "surrogateescape", newline="") as file,
        ):
            for number, item in enumerate(_read(path, file, options), 1):  # noqa: B007
                yield item
    except OSError as error:
        raise PostersError(f"cannot read the table {path}: {error.strerror or error}") from error
    except UnicodeError as error:
        raise PostersError(
            f"{path} is not {encoding}: {error}; set ingest.encoding to its encoding"
        ) from error
    if not number:
        raise PostersError(f"{path} has a header and no rows: nothing to ingest")


def find_encoding(path: str, options: IngestOptions) -> str:
    """The encoding that the file's first bytes declare, or else the one in the options.

    Raises:
      OSError: the file cannot be read.
    """
    with paths.open_file(path) as file:
        start = file.read(3)
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return encoding
    return options.encoding


class _Lines:
    """The file's lines, with characters that no row may hold replaced and their lines noted."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.number = 0
        self.defects: dict[int, Reason] = {}

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._file)
        self.number += 1
        if "\0" in line:
            self.defects[self.number] = Reason.NUL_BYTE
            line = line.replace("\0", _REPLACEMENT)
        if _UNDECODED.search(line):
            self.defects.setdefault(self.number, Reason.BAD_ENCODING)
            line = _UNDECODED.sub(_REPLACEMENT, line)
        return line


class _Record(NamedTuple):
    """What the csv module made of one row: its lines, its cells, and what is wrong with it."""

    first: int
    last: int
    cells: list[str]
    fault: tuple[Reason, str] | None


def _read(path: str, file: TextIO, options: IngestOptions) -> Iterator[Row | Rejection]:
    records = _records(path, _Lines(file), options.column_separator)
    header = next(records, None)
    if header is None or not any(name.strip() for name in header.cells):
        cause = header.fault[1] if header and header.fault else "it is empty"
        raise PostersError(f"{path} has no header: {cause}; expected one, and one row an image")
    columns = _find_columns(path, [name.strip() for name in header.cells], options)
    for record in records:
        yield _to_row(record, len(header.cells), columns, options)


def _records(path: str, lines: _Lines, separator: str) -> Iterator[_Record]:
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        first = lines.number + 1
        lines.defects.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if lines.number > first:
                # The quote swallowed whole rows: leaving them out would not be noticed.
                raise PostersError(
                    f"{path}, line {first}: a quote in this row is not closed properly up to line "
                    f"{lines.number} ({error}); mend the row and ingest again"
                ) from error
            yield _Record(first, first, [], (Reason.MALFORMED_ROW, str(error)))
            continue
        if cells:  # the csv module makes an empty list of a blank line
            reason = next(iter(lines.defects.values()), None)
            fault = (reason, _DEFECTS[reason]) if reason else None
            yield _Record(first, lines.number, cells, fault)


def _find_columns(path: str, header: list[str], options: IngestOptions) -> dict[str, int]:
    """Where each column stands that the options name, by the option's name."""
    settings = ("id_column", "labels_column", "title_column", "year_column", "url_column")
    named = {setting: getattr(options, setting) for setting in settings}
    wanted = {setting: name for setting, name in named.items() if name is not None}
    wrong = {setting: name for setting, name in wanted.items() if header.count(name) != 1}
    if wrong:
        names = ", ".join(
            f"{'two columns' if name in header else 'no column'} {name!r} (ingest.{setting})"
            for setting, name in wrong.items()
        )
        raise PostersError(
            f"{path} has {names}; it has: {excerpt(', '.join(header))}. Set the name with "
            f"--set ingest.{next(iter(wrong))}=NAME, or null for a title or year that the table "
            "lacks; a wrong ingest.column_separator or ingest.encoding shows itself here too"
        )
    return {setting: header.index(name) for setting, name in wanted.items()}


def _to_row(
    record: _Record, width: int, columns: dict[str, int], options: IngestOptions
) -> Row | Rejection:
    def cell(setting: str) -> str:
        position = columns.get(setting, width)
        return record.cells[position].strip() if position < len(record.cells) else ""

    identifier = cell("id_column")
    if record.fault:
        return Rejection(record.first, identifier, *record.fault)
    if len(record.cells) != width:
        detail = f"{len(record.cells)} columns where the header has {width}"
        if record.last > record.first:
            detail += f", over lines {record.first} to {record.last}"
        return Rejection(record.first, identifier, Reason.MALFORMED_ROW, detail)
    if not identifier:
        detail = f"the column {options.id_column!r} is empty"
        return Rejection(record.first, "", Reason.NO_ID, detail)
    title = cell("title_column")
    year = year_in_title(title) if options.year_column is None else to_year(cell("year_column"))
    labels = split_labels(cell("labels_column"), options.label_separator)
    return Row(record.first, identifier, labels, title, year, cell("url_column"))


def year_in_title(title: str) -> int | None:
    """The year in brackets at a title's end: 1999 of "Amélie (1999)"."""
    found = _YEAR_AT_END.search(title)
    return int(found[1]) if found else None


def to_year(cell: str) -> int | None:
    """The year in a cell of four digits, with or without the ".0" of a spreadsheet."""
    found = _YEAR.fullmatch(cell)
    return int(found[1]) if found else None
