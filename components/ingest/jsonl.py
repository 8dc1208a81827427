"""Reading JSON Lines: one object an image, with the same columns as a CSV has."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from components import paths
from components.errors import PostersError
from components.ingest import table
from components.ingest.options import IngestOptions
from components.ingest.rejection import Reason, Rejection, excerpt
from components.ingest.table import Row
from components.ingest.vocabulary import split_labels

#: Longer lines are rejected unread, in characters; the csv module's cells have the same limit.
_MAX_LINE = 131_072


class _Malformed(Exception):
    """A line that is no row: the reason, and the detail."""


def read_json_lines(path: str, options: IngestOptions) -> Iterator[Row | Rejection]:
    """Reads the JSON Lines at `path`, a line at a time; blank lines are left out.

    The encoding is UTF-8 unless `ingest.encoding` names another than the CSV's default.

    Raises:
      PostersError: the file is missing or empty, or no line has the columns that `options` name.
    """
    number, seen, keys = 0, set(), {}
    wanted = {options.id_column: "id_column", options.labels_column: "labels_column"}
    try:
        encoding = _find_encoding(path, options)
        for number, line in _lines(path, encoding):
            try:
                fields = _parse(line)
            except _Malformed as error:
                yield Rejection(number, "", *error.args)
                continue
            seen.update(wanted.keys() & fields.keys())
            keys = keys or fields
            yield _to_row(number, fields, options)
    except OSError as error:
        raise PostersError(f"cannot read the table {path}: {error.strerror or error}") from error
    except UnicodeError as error:
        raise PostersError(
            f"{path} is not {encoding}: {error}; set ingest.encoding to its encoding"
        ) from error
    if not number:
        raise PostersError(f"{path} is empty: expected one JSON object a line")
    for name in wanted.keys() - seen:
        raise PostersError(
            f"{path} has no column {name!r} (ingest.{wanted[name]}) in any line; the first object "
            f"has: {excerpt(', '.join(keys)) or 'none'}. Set the name with "
            f"--set ingest.{wanted[name]}=NAME"
        )


def _find_encoding(path: str, options: IngestOptions) -> str:
    encoding = table.find_encoding(path, options)
    # The CSV's default would garble JSON silently.
    return "utf-8" if encoding == IngestOptions().encoding else encoding


def _lines(path: str, encoding: str) -> Iterator[tuple[int, str]]:
    with (
        paths.open_file(path) as content,
        io.TextIOWrapper(content, encoding, "surrogateescape") as file,
    ):
        number = 0
        while line := file.readline(_MAX_LINE + 1):
            number += 1
            rest = line
            while rest and not rest.endswith("\n"):  # the rest of a long line is read and dropped
                rest = file.readline(_MAX_LINE)
            if line.strip():
                yield number, line


def _parse(line: str) -> dict[str, Any]:
    if len(line) > _MAX_LINE:
        raise _Malformed(Reason.MALFORMED_ROW, f"the line is longer than {_MAX_LINE} characters")
    if "\0" in line:
        raise _Malformed(Reason.NUL_BYTE, "the row holds a NUL byte")
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _Malformed(Reason.MALFORMED_ROW, f"it is no JSON: {excerpt(str(error))}") from error
    if not isinstance(fields, dict):
        raise _Malformed(Reason.MALFORMED_ROW, f"it is {type(fields).__name__}, not an object")
    return fields


def _to_row(number: int, fields: dict[str, Any], options: IngestOptions) -> Row | Rejection:
    identifier = ""
    try:
        identifier = _text(fields, options.id_column)
        if not identifier:
            raise _Malformed(Reason.NO_ID, f"the column {options.id_column!r} is empty")
        title = _text(fields, options.title_column)
        url = _text(fields, options.url_column)
        labels = _labels(fields, options)
        if options.year_column is None:
            year = table.year_in_title(title)
        else:
            year = table.to_year(_text(fields, options.year_column))
    except _Malformed as error:
        return Rejection(number, identifier, *error.args)
    return Row(number, identifier, labels, title, year, url)


def _labels(fields: dict[str, Any], options: IngestOptions) -> tuple[str, ...]:
    value = fields.get(options.labels_column)
    if not isinstance(value, list):
        return split_labels(_text(fields, options.labels_column), options.label_separator)
    labels = (" ".join(_check(label, options.labels_column).split()) for label in value)
    return tuple(dict.fromkeys(label for label in labels if label))


def _text(fields: dict[str, Any], name: str | None) -> str:
    """The value of a column as text without spaces around it; empty when there is none."""
    value = fields.get(name) if name is not None else None
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    return _check(value, str(name)).strip()


def _check(value: Any, name: str) -> str:
    if not isinstance(value, str):
        detail = f"the column {name!r} holds {excerpt(json.dumps(value))}, not text"
        raise _Malformed(Reason.MALFORMED_ROW, detail)
    if "\0" in value:
        raise _Malformed(Reason.NUL_BYTE, f"the column {name!r} holds a NUL byte")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        detail = f"the column {name!r} holds text that is no Unicode"
        raise _Malformed(Reason.BAD_ENCODING, detail) from error
    return value
