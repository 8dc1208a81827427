"""Which spans the gate let through: what a later span is compared with.

One small file a span, below a folder that all runs of a pipeline share. It points at the statistics
that the span was judged by, which stay where StatisticsGen wrote them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import posixpath
import re
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from tfx.dsl.io import fileio

_FILE = re.compile(r"^span-(\d+)\.json$")
#: Of so many spans before, the usual size is taken.
_RECENT = 5


@dataclasses.dataclass(frozen=True)
class Accepted:
    """One span that was let through.

    Attributes:
      span: its number.
      statistics: URI of an ExampleStatistics artifact: of this span, and of those that were looked
        at with it.
      manifest: SHA-256 of its manifest: data of the same number with another were never seen.
      examples: how many it has in each split.
      override: why a person let it through, or None if the gate found nothing.
    """

    span: int
    statistics: str
    manifest: str
    examples: Mapping[str, int]
    override: str | None = None

    def to_json(self) -> str:
        """One line; `from_json` reads it."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)


def from_json(text: str) -> Accepted:
    """Reads what `to_json` wrote.

    Raises:
      ValueError: it is something else.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        return Accepted(
            int(fields["span"]),
            str(fields["statistics"]),
            str(fields["manifest"]),
            {split: int(count) for split, count in fields["examples"].items()},
            fields.get("override"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no record of an accepted span: {text[:200]}") from error


def record(folder: str, accepted: Accepted) -> None:
    """Writes down that a span was let through, in one step."""
    fileio.makedirs(folder)
    path = posixpath.join(folder, f"span-{accepted.span}.json")
    # On a bucket a rename is a copy; a reader still never sees half a file.
    with fileio.open(f"{path}.new", "w") as file:
        file.write(accepted.to_json() + "\n")
    fileio.rename(f"{path}.new", path, overwrite=True)


def read_all(folder: str) -> list[Accepted]:
    """Every span that was let through, by number; a damaged record counts for nothing."""
    if not fileio.exists(folder):
        return []
    found = []
    for name in fileio.listdir(folder):
        if _FILE.match(name):
            with fileio.open(posixpath.join(folder, name), "r") as file:
                text = file.read()
            with contextlib.suppress(ValueError):
                found.append(from_json(text))
    return sorted(found, key=lambda accepted: accepted.span)


def before(records: Sequence[Accepted], new: Sequence[int]) -> list[Accepted]:
    """Of the records, those of spans that came before the newest of `new` and are none of them."""
    return [item for item in records if item.span < max(new) and item.span not in new]


def latest(records: Sequence[Accepted]) -> Accepted | None:
    """The last of the records whose statistics are there, or None.

    They are gone where someone removed old artifacts.
    """
    there = (item for item in reversed(records) if fileio.exists(item.statistics))
    return next(there, None)


def usual_size(records: Sequence[Accepted]) -> dict[str, float] | None:
    """How many examples a span has in each split: the median of the last five; None of none.

    The first of all is left out. It holds a whole catalogue, and later spans what was added.

    Args:
      records: by number.
    """
    recent = records[1:][-_RECENT:]
    if not recent:
        return None
    splits = {split for item in recent for split in item.examples}
    return {
        split: statistics.median(item.examples.get(split, 0) for item in recent)
        for split in sorted(splits)
    }
