"""The steps between which Beam moves rows, ids, labels, hashes and paths, but never images."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam

from components.files import write_lines
from components.ingest import rejection, watch
from components.ingest.decode import tensorflow_decoder
from components.ingest.download import Downloader
from components.ingest.groups import Assignment, Member, Published, assign_alone, assign_groups
from components.ingest.job import Job, read_index
from components.ingest.look import Before, Candidate, Known, find_image, look
from components.ingest.outputs import leave_out, reject, tally
from components.ingest.plan import Plan
from components.ingest.records import (
    Item,
    pack,
    shard_name,
    to_index,
    unpack,
    write_shard,
)
from components.ingest.rejection import Reason, Rejection
from components.ingest.screen import screen_rows
from components.ingest.split import position
from components.ingest.table import Row
from components.paths import Entry

#: Rejections of so many lines of the table go into one file.
_LINES_A_FILE = 10_000
_GROUPS_NAMED = 10


class Screen(beam.DoFn):
    """Merges one id's rows and finds its image: yields candidates."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def process(self, element: tuple[str, dict[str, Iterable[bytes]]]) -> Iterator:
        """Takes (id, its rows, files and earlier publications)."""
        _, found = element
        rows = sorted((Row._make(unpack(row)) for row in found["rows"]), key=lambda row: row.line)
        if not rows:
            return
        before = next((Before._make(unpack(one)) for one in found["published"]), None)
        screened = screen_rows(rows, self._job.options.forbidden_labels)
        for item in screened.rejections:
            yield from reject(self._job, item, 2)
        if screened.repeats:
            watch.step(self._job.token, 2 * screened.repeats)
            yield tally("repeat", count=screened.repeats)
        for row in screened.rows:
            outcome = find_image(
                row, [Entry._make(unpack(entry)) for entry in found["files"]], before
            )
            if isinstance(outcome, Candidate):
                yield tuple(row), outcome.entry and tuple(outcome.entry), before and tuple(before)
            else:
                yield from leave_out(self._job, outcome)


class Look(beam.DoFn):
    """Reads and decodes batches of images on a few threads: yields items.

    The decoders release Python's lock, so threads are enough to use every core.
    """

    def __init__(self, job: Job) -> None:
        self._job = job

    def setup(self) -> None:
        """Starts the threads and TensorFlow's decoder."""
        options = self._job.options
        self._closing = contextlib.ExitStack()
        self._decode = self._closing.enter_context(tensorflow_decoder())
        # More than cores: one thread waits for Python's lock or the disk while another decodes.
        threads = 2 * (os.cpu_count() or 1)
        if options.url_column is not None:
            threads = max(threads, options.download_workers)
        self._pool = self._closing.enter_context(concurrent.futures.ThreadPoolExecutor(threads))
        self._downloader = Downloader(self._job.cache, options)

    def teardown(self) -> None:
        """Stops them."""
        self._closing.close()

    def process(self, batch: Sequence[tuple]) -> Iterator:
        """Takes candidates."""
        for outcome in self._pool.map(self._look, batch):
            if isinstance(outcome, Item):
                watch.step(self._job.token, 1)
                yield pack(outcome)
            else:
                yield from leave_out(self._job, outcome)

    def _look(self, candidate: tuple) -> Item | Known | Rejection:
        row, entry, before = candidate
        return look(
            Candidate(
                Row._make(row), entry and Entry._make(entry), before and Before._make(before)
            ),
            self._job.images,
            self._job.options,
            self._decode,
            self._downloader,
        )


class Group(beam.DoFn):
    """Groups all images on one worker: yields (id, assignment) of those that are not alone."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def process(self, element: tuple[None, Iterable[bytes]]) -> Iterator:
        """Takes every image's `Member`."""
        members = [Member._make(unpack(member)) for member in element[1]]
        published = [
            Published(
                Member(
                    line["id"],
                    bytes.fromhex(line["sha256"]),
                    bytes.fromhex(line["perceptual_hash"]),
                ),
                line["group"],
                line["split"],
            )
            for path in self._job.indexes
            for line in read_index(path)
        ]
        options = self._job.options
        assignments = assign_groups(
            members, published, options.max_hash_distance, options.split_shares
        )
        sizes: dict[str, int] = {}
        for identifier, assignment in assignments.items():
            yield identifier, tuple(assignment)
            if assignment.split:
                sizes[assignment.group] = sizes.get(assignment.group, 0) + 1
        yield tally("groups", count=len(sizes))
        yield tally("grouped", count=sum(sizes.values()))
        largest = sorted(sizes.items(), key=lambda one: (-one[1], one[0]))[:_GROUPS_NAMED]
        for group, size in largest:
            yield tally("group", group, count=size)


class Place(beam.DoFn):
    """Puts every item into its group's split; puts those aside that no split can take."""

    def __init__(self, job: Job, reports: bool) -> None:
        self._job = job
        self._reports = reports

    def process(self, element: bytes, assignments: dict[str, tuple]) -> Iterator:
        """Takes items."""
        item = Item._make(unpack(element))
        assigned = assignments.get(item.id)
        if assigned is None:
            assignment = assign_alone(item.id, self._job.options.split_shares)
        else:
            assignment = Assignment._make(assigned)
        if assignment.split:
            group = "" if assignment.group == item.id else assignment.group
            yield pack(item._replace(group=group, split=assignment.split))
        elif self._reports:
            where = Rejection(item.line, item.id, Reason.SPLIT_CONFLICT, assignment.detail)
            yield from reject(self._job, where, 1)


class Label(beam.DoFn):
    """Parts the labels that the vocabulary holds from others; deals the items out to the shards."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def process(self, element: bytes, plan: Plan) -> Iterator:
        """Takes placed items; yields ((split, shard, shards), item)."""
        item = Item._make(unpack(element))
        labels = tuple(label for label in item.labels if label in plan.vocabulary)
        for label in item.labels:
            kind = "label" if label in plan.vocabulary else "other_label"
            yield tally(kind, label, item.split)
        if not labels:
            detail = f"none of {'|'.join(item.labels)} is in the vocabulary"
            where = Rejection(item.line, item.id, Reason.NO_LABEL_LEFT, detail)
            yield from reject(self._job, where, 1)
            return
        others = tuple(label for label in item.labels if label not in plan.vocabulary)
        for label in others:
            yield tally("beside", label, item.split)
        count = plan.shards[item.split]
        shard = min(int(position(f"shard:{item.id}") * count), count - 1)
        yield (
            (item.split, shard, count),
            pack(item._replace(labels=labels, other_labels=others, split="")),
        )


class Write(beam.DoFn):
    """Writes one shard, and beside it what the manifest and the index say of it."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def process(self, element: tuple[tuple[str, int, int], Iterable[bytes | None]]) -> Iterator:
        """Takes ((split, shard, shards), its items); None stands for none."""
        (split, index, count), values = element
        # In the hash's order: shuffled, and the same however the table is sorted. They stay packed
        # until they are written, for a shard of small images has very many.
        ids = ((unpack(value)[0], value) for value in values if value is not None)
        packed = sorted((position(identifier), identifier, value) for identifier, value in ids)
        items = _Unpacked([value for _, _, value in packed], split)
        del packed
        name = shard_name(split, index, count)
        options = self._job.options
        shard = write_shard(
            self._job.scratch,
            name,
            items,
            options.features,
            lambda: watch.step(self._job.token, 1),
        )
        stem = f"{split}-{index:05d}"
        write_lines(self._job.work / "shards" / f"{stem}.json", [json.dumps(shard._asdict())])
        write_lines(self._job.work / "index" / f"{stem}.jsonl", map(to_index, items))
        yield tally("split", split, count=len(items))


class _Unpacked(Sequence):
    """A shard's items, each unpacked when it is asked for."""

    def __init__(self, packed: list[bytes], split: str) -> None:
        self._packed = packed
        self._split = split

    def __len__(self) -> int:
        return len(self._packed)

    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self._unpack(value) for value in self._packed[index]]
        return self._unpack(self._packed[index])

    def _unpack(self, value: bytes) -> Item:
        item = Item._make(unpack(value))
        return item._replace(split=self._split, group=item.group or item.id)


class WriteRejected(beam.DoFn):
    """Writes the rejections of one stretch of the table, in its order."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def process(self, element: tuple[int, Iterable[tuple]]) -> None:
        """Takes (number of the stretch, rejections)."""
        number, values = element
        items = [Rejection(value[0], value[1], Reason(value[2]), value[3]) for value in values]
        text = rejection.to_csv(items, self._job.table_name)
        write_lines(self._job.work / "rejected" / f"{number:010d}.csv", [text])


def stretch(item: tuple) -> tuple[int, tuple]:
    """Keys a rejection by its stretch of the table."""
    return item[0] // _LINES_A_FILE, item
