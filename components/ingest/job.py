"""What every step of an ingest needs to know, small enough to travel to every worker."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from components.ingest.options import IngestOptions
from components.paths import AnyPath

#: What the plan is put down in below `work`, for the launcher.
PLAN = "plan.json"


class Job(NamedTuple):
    """One ingest.

    Attributes:
      token: names the run among those of this process; see `watch`.
      table_name: the table's name without its folder.
      images: the folder of images; None if all are downloaded.
      scratch: the folder that becomes the span. All workers must see it under this path;
        on a store they do.
      cache: the folder of downloads.
      indexes: index files of the earlier spans.
      vocabulary: the labels that earlier spans have fixed; None for the first span.
      counted: how often other labels occur in their train split, if it may grow; else None.
      options: the user's.
    """

    token: str
    table_name: str
    images: str | None
    scratch: AnyPath
    cache: AnyPath
    indexes: tuple[AnyPath, ...]
    vocabulary: tuple[str, ...] | None
    counted: Mapping[str, int] | None
    options: IngestOptions

    @property
    def work(self) -> AnyPath:
        """Files between the steps; removed before the span is published."""
        return self.scratch / "work"


def read_index(path: AnyPath) -> Iterator[dict]:
    """The lines of a span's index, one a published example."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)
