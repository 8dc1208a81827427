"""Why a row of the table did not become an example."""

from __future__ import annotations

import csv
import enum
import io
from collections.abc import Iterable
from typing import NamedTuple

#: The longest excerpt of somebody's data in a message, in characters.
_EXCERPT = 120


class Reason(str, enum.Enum):
    """One word for each way in which a row is rejected; the values stand in `rejected.csv`."""

    MALFORMED_ROW = "malformed_row"
    NUL_BYTE = "nul_byte"
    BAD_ENCODING = "bad_encoding"
    NO_ID = "no_id"
    CONFLICTING_REPEAT = "conflicting_repeat"
    FORBIDDEN_LABEL = "forbidden_label"
    NO_LABEL = "no_label"
    NO_LABEL_LEFT = "no_label_left"
    CHANGED_LABELS = "changed_labels"
    CHANGED_IMAGE = "changed_image"
    SPLIT_CONFLICT = "split_conflict"
    MISSING_IMAGE = "missing_image"
    BAD_URL = "bad_url"
    DOWNLOAD_FAILED = "download_failed"
    NOT_A_FILE = "not_a_file"
    UNREADABLE = "unreadable"
    EMPTY_FILE = "empty_file"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TRUNCATED = "truncated"
    UNDECODABLE = "undecodable"
    TOO_LARGE = "too_large"
    TOO_SMALL = "too_small"


#: The row itself could not be made out.
UNREADABLE_ROW = frozenset(
    {Reason.MALFORMED_ROW, Reason.NUL_BYTE, Reason.BAD_ENCODING, Reason.NO_ID}
)
#: The row is fine and names an image, but nothing can be seen in it.
BROKEN_IMAGE = frozenset(
    {
        Reason.BAD_URL,
        Reason.DOWNLOAD_FAILED,
        Reason.NOT_A_FILE,
        Reason.UNREADABLE,
        Reason.EMPTY_FILE,
        Reason.NOT_AN_IMAGE,
        Reason.UNSUPPORTED_FORMAT,
        Reason.TRUNCATED,
        Reason.UNDECODABLE,
        Reason.TOO_LARGE,
        Reason.TOO_SMALL,
    }
)
#: The row has no label that the vocabulary holds.
WITHOUT_LABELS = frozenset({Reason.NO_LABEL, Reason.NO_LABEL_LEFT})


class Rejection(NamedTuple):
    """A row that was left out.

    Attributes:
      line: the line of the table on which the row begins, from 1.
      id: the row's identifier, empty where it could not be read.
      reason: which kind of fault.
      detail: what was found, in words; names the file where there is one.
    """

    line: int
    id: str
    reason: Reason
    detail: str


def excerpt(text: str) -> str:
    """`text` on one line, and cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else line[: _EXCERPT - 3] + "..."


#: The first line of `rejected.csv`.
HEADER = "id,source,reason,detail\n"


def to_csv(rejections: Iterable[Rejection], table_name: str) -> str:
    """The lines below `HEADER`, in the table's order."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for item in sorted(rejections, key=lambda rejection: rejection.line):
        writer.writerow([item.id, f"{table_name}:{item.line}", item.reason.value, item.detail])
    return text.getvalue()
