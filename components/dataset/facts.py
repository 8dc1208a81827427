"""Everything that a person asks of a data set, read once from a span's shards and lists."""

from __future__ import annotations

import dataclasses
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from PIL import Image

from components.data_sets import untuned
from components.dataset import lists
from components.dataset.sheet import Picture, Sheet
from components.features import Features
from components.paths import AnyPath, local_copy

#: `progress(examples)` is called with the number of examples read so far.
Progress = Callable[[int], None]
_SHARDS = "*.tfrecord"


@dataclasses.dataclass
class Facts:
    """One span.

    Attributes:
      span: its number.
      folder: where it lies.
      vocabulary: the labels that are learned, in order; those seen if there is no list of them.
      examples: how many there are, by split.
      labels: how often each label occurs, by split.
      together: in how many examples two labels occur together, each pair in alphabetical order.
      labels_each: how many examples have so many labels.
      sizes: how many images have so many pixels across and down.
      formats: how many images are encoded in which way, by Pillow's names.
      image_bytes: bytes of all images.
      undecodable: ids of images whose size cannot be read.
      decades: how many examples are of which ten years; None counts those without a year.
      repeated_ids: how many examples have an id that another one has.
      lists: what `manifest.json` and `rejected.csv` tell.
      sheet: some pictures of each label.
      notes: what is missing or does not fit together, in sentences.
    """

    span: int
    folder: AnyPath
    vocabulary: tuple[str, ...]
    examples: dict[str, int]
    labels: dict[str, Counter[str]]
    lists: lists.Lists
    notes: list[str]
    together: Counter[tuple[str, str]] = dataclasses.field(default_factory=Counter)
    labels_each: Counter[int] = dataclasses.field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = dataclasses.field(default_factory=Counter)
    formats: Counter[str] = dataclasses.field(default_factory=Counter)
    image_bytes: int = 0
    undecodable: list[str] = dataclasses.field(default_factory=list)
    decades: Counter[int | None] = dataclasses.field(default_factory=Counter)
    repeated_ids: int = 0
    sheet: Mapping[str, Sequence[Picture]] = dataclasses.field(default_factory=dict)

    @property
    def total(self) -> int:
        """Examples in all splits."""
        return sum(self.examples.values())

    def count(self, label: str) -> int:
        """Examples in all splits that carry a label."""
        return sum(counts[label] for counts in self.labels.values())

    @property
    def shown_labels(self) -> list[str]:
        """The labels that occur or should, the most frequent first."""
        seen = {label for counts in self.labels.values() for label in counts}
        return sorted({*self.vocabulary, *seen}, key=lambda label: (-self.count(label), label))


def read(
    folder: AnyPath, span: int, splits: Sequence[str], features: Features, progress: Progress
) -> Facts:
    """Reads a span.

    Args:
      folder: the span's folder.
      span: its number.
      splits: the splits' names.
      features: the features' names.
      progress: called now and then.

    Returns:
      The facts. What is missing or damaged is in their notes and counts for nothing.
    """
    notes: list[str] = []
    vocabulary = lists.read_vocabulary(folder, notes)
    facts = Facts(
        span=span,
        folder=folder,
        vocabulary=vocabulary,
        examples=dict.fromkeys(splits, 0),
        labels={split: Counter() for split in splits},
        lists=lists.read(folder, notes),
        notes=notes,
    )
    reader = _Reader(facts, features, progress)
    for split in splits:
        reader.read_split(split)
    facts.sheet = reader.sheet.choose(facts.shown_labels)
    if not facts.vocabulary:
        facts.vocabulary = tuple(facts.shown_labels)
    _compare(facts)
    return facts


class _Reader:
    """Goes through the shards and counts."""

    def __init__(self, facts: Facts, features: Features, progress: Progress) -> None:
        self.facts = facts
        self.sheet = Sheet()
        self._features = features
        self._progress = progress
        self._ids: set[int] = set()

    def read_split(self, split: str) -> None:
        shards = sorted((self.facts.folder / split).glob(_SHARDS))
        if not shards:
            self.facts.notes.append(f"The {split} split has no shard {split}/{_SHARDS}.")
        for shard in shards:
            before = self.facts.examples[split]
            try:
                with local_copy(shard) as path:
                    for record in untuned(tf.data.TFRecordDataset(str(path))):
                        self._add(split, tf.train.Example.FromString(record.numpy()))
            except (tf.errors.OpError, DecodeError) as error:
                kind = type(error).__name__
                read = self.facts.examples[split] - before
                self.facts.notes.append(
                    f"{split}/{shard.name} is damaged after {read} examples ({kind}); the rest of "
                    "it is not counted. Ingest again."
                )

    def _add(self, split: str, example: tf.train.Example) -> None:
        facts, feature = self.facts, example.features.feature
        labels = [lists.plain(value) for value in _bytes(feature, self._features.labels)]
        identifier = lists.plain(b"".join(_bytes(feature, self._features.id)))
        years = (
            list(feature[self._features.year].int64_list.value)
            if self._features.year in feature
            else []
        )
        facts.examples[split] += 1
        facts.labels[split].update(set(labels))
        facts.labels_each[len(labels)] += 1
        names = sorted(set(labels))
        facts.together.update(
            (one, other) for place, one in enumerate(names) for other in names[place + 1 :]
        )
        facts.decades[years[0] // 10 * 10 if years else None] += 1
        key = hash(identifier)  # 8 bytes an example, not its text
        facts.repeated_ids += key in self._ids
        self._ids.add(key)
        content = b"".join(_bytes(feature, self._features.image))
        if self._look(content, identifier):
            title = lists.plain(b"".join(_bytes(feature, self._features.title)))
            year = years[0] if years else None
            self.sheet.offer(Picture(identifier, title, year, tuple(labels), split, content))
        if facts.total % 500 == 0:
            self._progress(facts.total)

    def _look(self, content: bytes, identifier: str) -> bool:
        """Counts an image's size and format without decoding it."""
        self.facts.image_bytes += len(content)
        try:
            with Image.open(io.BytesIO(content)) as image:
                self.facts.sizes[image.size] += 1
                self.facts.formats[image.format or "unknown"] += 1
        except (OSError, ValueError, Image.DecompressionBombError):
            self.facts.undecodable.append(identifier)
            return False
        return True


def _bytes(features: Mapping[str, Any], name: str) -> Sequence[bytes]:
    return features[name].bytes_list.value if name in features else ()


def _compare(facts: Facts) -> None:
    """Notes what the shards and the lists say differently."""
    for split, count in facts.examples.items():
        said = facts.lists.examples.get(split, count)
        if said != count:
            facts.notes.append(
                f"The manifest says {said} {split} examples; the shards hold {count}."
            )
    if facts.undecodable:
        some = ", ".join(facts.undecodable[:5])
        facts.notes.append(f"{len(facts.undecodable)} image(s) cannot be read, such as of {some}.")
    if facts.repeated_ids:
        facts.notes.append(f"{facts.repeated_ids} example(s) have an id that another one has.")
    known = set(facts.vocabulary)
    if unknown := [label for label in facts.shown_labels if label not in known]:
        facts.notes.append(
            f"{len(unknown)} label(s) are not in the vocabulary: {', '.join(unknown[:8])}."
        )
    for split, counts in facts.labels.items():
        if absent := [label for label in facts.vocabulary if not counts[label]]:
            facts.notes.append(f"No {split} example has {', '.join(absent[:8])}.")
