"""Which spans the gate let through: what a later span is compared with.

One small file a span, below a folder that all runs of a pipeline share. It points at the statistics
of the span, which stay where StatisticsGen wrote them.
"""

from __future__ import annotations

import dataclasses
import json
import posixpath
import re
from typing import Any

from tfx.dsl.io import fileio

_FILE = re.compile(r"^span-(\d+)\.json$")


@dataclasses.dataclass(frozen=True)
class Accepted:
    """One span that was let through.

    Attributes:
      span: its number.
      statistics: URI of its ExampleStatistics artifact.
      override: why a person let it through, or None if the gate found nothing.
    """

    span: int
    statistics: str
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
        return Accepted(int(fields["span"]), str(fields["statistics"]), fields.get("override"))
    except (KeyError, TypeError) as error:
        raise ValueError(f"no record of an accepted span: {text[:200]}") from error


def record(folder: str, accepted: Accepted) -> None:
    """Writes down that a span was let through, in one step."""
    fileio.makedirs(folder)
    path = posixpath.join(folder, f"span-{accepted.span}.json")
    # On a bucket a rename is a copy; a reader still never sees half a file.
    with fileio.open(f"{path}.new", "w") as file:
        file.write(accepted.to_json() + "\n")
    fileio.rename(f"{path}.new", path, overwrite=True)


def latest_before(folder: str, span: int) -> Accepted | None:
    """The accepted span with the highest number below `span`, or None if there is none.

    A record whose statistics are gone (someone removed old artifacts) counts for nothing.
    """
    if not fileio.exists(folder):
        return None
    numbers = [int(match[1]) for name in fileio.listdir(folder) if (match := _FILE.match(name))]
    for number in sorted((number for number in numbers if number < span), reverse=True):
        with fileio.open(posixpath.join(folder, f"span-{number}.json"), "r") as file:
            text = file.read()
        try:
            accepted = from_json(text)
        except ValueError:
            continue
        if fileio.exists(accepted.statistics):
            return accepted
    return None
