"""The first steps: reading what the launcher and earlier spans wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator

import apache_beam as beam

from components.ingest.job import Job, read_index
from components.ingest.look import Before
from components.ingest.outputs import reject
from components.ingest.records import pack
from components.ingest.rejection import Reason, Rejection
from components.ingest.table import Row
from components.paths import to_path


class ReadRows(beam.DoFn):
    """Reads what the launcher wrote of the table: yields (id, row)."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def process(self, file: str) -> Iterator:
        """Takes the name of a file of JSON Lines."""
        with to_path(file).open(encoding="utf-8") as lines:
            for line in lines:
                values = json.loads(line)
                if len(values) == len(Row._fields):
                    row = Row._make(values)
                    yield row.id, pack(row._replace(labels=tuple(row.labels)))
                else:
                    number, identifier, reason, detail = values
                    item = Rejection(number, identifier, Reason(reason), detail)
                    yield from reject(self._job, item, 2)


def read_files(file: str) -> Iterator[tuple[str, bytes]]:
    """(id, entry) of every image that the launcher listed."""
    with to_path(file).open(encoding="utf-8") as lines:
        for line in lines:
            identifier, *entry = json.loads(line)
            yield identifier, pack(entry)


def read_published(file: str) -> Iterator[tuple[str, bytes]]:
    """(id, `Before`) of every example in a span's index."""
    index = to_path(file)
    span = index.parent.name
    for line in read_index(index):
        before = Before(span, bytes.fromhex(line["sha256"]), tuple(line["labels"]))
        yield line["id"], pack(before)
