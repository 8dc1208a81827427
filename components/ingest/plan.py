"""What has to be known of all images before the first is written: the labels, and the shards."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import apache_beam as beam

from components.ingest.options import SPLITS
from components.ingest.records import Item, unpack
from components.ingest.vocabulary import choose_vocabulary, grow_vocabulary

#: The fewest shards of a split; readers shuffle the train split's shards. Others: 1.
_MIN_SHARDS = {"train": 2}


class Plan(NamedTuple):
    """The labels in their order, and the number of shards of each split."""

    vocabulary: tuple[str, ...]
    shards: dict[str, int]


class MakePlan(beam.CombineFn):
    """Counts the train split's labels and every split's bytes.

    Args:
      vocabulary: labels that are fixed already; None chooses them.
      counted: how often other labels occur in the train split of earlier spans, if the vocabulary
        may grow by them; None if it may not.
      min_label_count: for choosing.
      shard_bytes: what a shard aims at.
    """

    def __init__(
        self,
        vocabulary: tuple[str, ...] | None,
        counted: Mapping[str, int] | None,
        min_label_count: int,
        shard_bytes: int,
    ) -> None:
        self._vocabulary = vocabulary
        self._counted = counted
        self._min_label_count = min_label_count
        self._shard_bytes = shard_bytes

    def create_accumulator(self) -> collections.Counter:
        """Counts by (kind, name)."""
        return collections.Counter()

    def add_input(self, counts: collections.Counter, element: bytes) -> collections.Counter:
        """Takes a placed item."""
        item = Item._make(unpack(element))
        counts["bytes", item.split] += item.byte_count
        counts["items", item.split] += 1
        if item.split == "train":
            for label in item.labels:
                counts["label", label] += 1
        return counts

    def merge_accumulators(
        self, accumulators: Iterable[collections.Counter]
    ) -> collections.Counter:
        """Adds up what workers counted."""
        return sum(accumulators, collections.Counter())

    def extract_output(self, counts: collections.Counter) -> Plan:
        """Makes the plan."""
        train = {name: count for (kind, name), count in counts.items() if kind == "label"}
        vocabulary = self._vocabulary
        if vocabulary is None:
            vocabulary = choose_vocabulary(train, self._min_label_count)
        elif self._counted is not None:
            together = collections.Counter(self._counted) + collections.Counter(train)
            vocabulary = grow_vocabulary(vocabulary, together, self._min_label_count)
        shards = {
            split: min(
                max(_MIN_SHARDS.get(split, 1), -(-counts["bytes", split] // self._shard_bytes)),
                counts["items", split],
            )
            for split in SPLITS
        }
        return Plan(vocabulary, shards)


def shard_keys(plan: Plan) -> Iterator[tuple[tuple[str, int, int], None]]:
    """Every shard's key, so that one without an item is written too."""
    for split, count in plan.shards.items():
        for index in range(count):
            yield (split, index, count), None
