"""Which rows may become examples, as far as the table alone can tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from components.ingest.rejection import Reason, Rejection
from components.ingest.table import Row


@dataclasses.dataclass(frozen=True)
class Screened:
    """Rows of distinct ids, the rejected ones, and the number of rows that only repeat one."""

    rows: list[Row]
    rejections: list[Rejection]
    repeats: int


def screen_rows(rows: list[Row], forbidden: Collection[str]) -> Screened:
    """Merges repeated ids and rejects rows that are forbidden or without labels.

    The first row of an id counts; one that repeats it with other labels is rejected. An id with a
    forbidden label in any of its rows is rejected in all of them.
    """
    forbidden_ids: dict[str, Rejection] = {}
    for row in rows:
        for label in row.labels:
            if label in forbidden and row.id not in forbidden_ids:
                detail = f"the label {label!r} on line {row.line} is forbidden"
                forbidden_ids[row.id] = Rejection(row.line, row.id, Reason.FORBIDDEN_LABEL, detail)
    first: dict[str, Row] = {}
    rejections: list[Rejection] = []
    repeats = 0
    for row in rows:
        earlier = first.setdefault(row.id, row)
        if row.id in forbidden_ids:
            rejections.append(forbidden_ids[row.id]._replace(line=row.line))
        elif earlier is not row and set(earlier.labels) != set(row.labels):
            detail = (
                f"labels {'|'.join(row.labels) or 'none'} here and "
                f"{'|'.join(earlier.labels) or 'none'} on line {earlier.line}, which counts"
            )
            rejections.append(Rejection(row.line, row.id, Reason.CONFLICTING_REPEAT, detail))
        elif earlier is not row:
            repeats += 1
        elif not row.labels:
            rejections.append(Rejection(row.line, row.id, Reason.NO_LABEL, "it has no label"))
    left_out = {rejection.line for rejection in rejections}
    kept = [row for row in first.values() if row.line not in left_out]
    return Screened(kept, rejections, repeats)
