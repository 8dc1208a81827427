"""Why a row of the table did not become an example."""

from __future__ import annotations

import csv
import dataclasses
import enum
import io
from collections.abc import Iterable

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
    MISSING_IMAGE = "missing_image"
    NOT_A_FILE = "not_a_file"
    UNREADABLE = "unreadable"
    EMPTY_FILE = "empty_file"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TRUNCATED = "truncated"
    UNDECODABLE = "undecodable"
    TOO_LARGE = "too_large"


#: The row itself could not be made out.
UNREADABLE_ROW = frozenset(
    {Reason.MALFORMED_ROW, Reason.NUL_BYTE, Reason.BAD_ENCODING, Reason.NO_ID}
)
#: The row is fine and names an image, but nothing can be seen in it.
BROKEN_IMAGE = frozenset(
    {
        Reason.NOT_A_FILE,
        Reason.UNREADABLE,
        Reason.EMPTY_FILE,
        Reason.NOT_AN_IMAGE,
        Reason.UNSUPPORTED_FORMAT,
        Reason.TRUNCATED,
        Reason.UNDECODABLE,
        Reason.TOO_LARGE,
    }
)
#: The row has no label that the vocabulary holds.
WITHOUT_LABELS = frozenset({Reason.NO_LABEL, Reason.NO_LABEL_LEFT})


@dataclasses.dataclass(frozen=True, slots=True)
class Rejection:
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

    def describe(self) -> str:
        """One line for a person."""
        who = f" (id {excerpt(self.id)})" if self.id else ""
        return f"line {self.line}{who}: {self.reason.value}: {self.detail}"


def excerpt(text: str) -> str:
    """`text` on one line, and cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else line[: _EXCERPT - 3] + "..."


def to_csv(rejections: Iterable[Rejection], table_name: str) -> str:
    """The list as CSV (id, source, reason, detail), in the table's order."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "source", "reason", "detail"])
    for item in sorted(rejections, key=lambda rejection: rejection.line):
        writer.writerow([item.id, f"{table_name}:{item.line}", item.reason.value, item.detail])
    return text.getvalue()
