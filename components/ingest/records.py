"""Writing examples: sharded, uncompressed TFRecords, the same bytes from the same source."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import PostersError
from components.features import Features
from components.files import file_digest
from components.ingest.images import ImageFile
from components.ingest.table import Row

if TYPE_CHECKING:
    import tensorflow as tf

#: The fewest shards of a split; readers shuffle the train split's shards. Others: 1.
_MIN_SHARDS = {"train": 2}


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """What becomes one example.

    Attributes:
      row: its row of the table.
      labels: those of the row's labels that the vocabulary holds, in the row's order.
      file: its image.
      digest: SHA-256 of the image's content when it was checked.
    """

    row: Row
    labels: tuple[str, ...]
    file: ImageFile
    digest: bytes


@dataclasses.dataclass(frozen=True)
class Shard:
    """One written file: its name below the span, its examples, bytes and SHA-256 in hex."""

    name: str
    examples: int
    bytes: int
    sha256: str


def to_example(item: Item, content: bytes, features: Features) -> tf.train.Example:
    """The example of an item; a title or year that is not there has no feature."""
    import tensorflow as tf

    def of_bytes(*values: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

    fields = {
        features.image: of_bytes(content),
        features.labels: of_bytes(*(label.encode("utf-8") for label in item.labels)),
        features.id: of_bytes(item.row.id.encode("utf-8")),
    }
    if item.row.title:
        fields[features.title] = of_bytes(item.row.title.encode("utf-8"))
    if item.row.year is not None:
        years = tf.train.Int64List(value=[item.row.year])
        fields[features.year] = tf.train.Feature(int64_list=years)
    return tf.train.Example(features=tf.train.Features(feature=fields))


def write_split(
    span: Path,
    split: str,
    items: Sequence[Item],
    shard_bytes: int,
    features: Features,
    step: Callable[[], None],
) -> list[Shard]:
    """Writes `items` in their order to `span/split/data-NNNNN-of-NNNNN.tfrecord`.

    Args:
      span: the span's folder.
      split: the split's name.
      items: at least one.
      shard_bytes: what a shard aims at, in bytes; the shards get equal numbers of examples.
      features: the features' names.
      step: called after each example.

    Raises:
      PostersError: an image changed since it was checked, or the disk refuses the records.
    """
    total = sum(item.file.byte_count for item in items)
    count = max(_MIN_SHARDS.get(split, 1), -(-total // shard_bytes))
    count = min(count, len(items))
    (span / split).mkdir(parents=True, exist_ok=True)
    shards = []
    for index in range(count):
        part = items[index * len(items) // count : (index + 1) * len(items) // count]
        name = f"{split}/data-{index:05d}-of-{count:05d}.tfrecord"
        _write_shard(span / name, part, features, step)
        written = span / name
        shards.append(Shard(name, len(part), written.stat().st_size, file_digest(written)))
    return shards


def _write_shard(
    path: Path, items: Sequence[Item], features: Features, step: Callable[[], None]
) -> None:
    import tensorflow as tf

    try:
        with tf.io.TFRecordWriter(str(path)) as writer:
            for item in items:
                example = to_example(item, _read_again(item), features)
                writer.write(example.SerializeToString(deterministic=True))
                step()
    except tf.errors.OpError as error:  # TensorFlow's file errors are no OSError
        cause = error.message.rpartition("; ")[2]  # without the path, which stands there again
        raise PostersError(
            f"cannot write records to {path}: {cause}; nothing was published"
        ) from error


def _read_again(item: Item) -> bytes:
    """The image's content, if it still is what was checked."""
    path = item.file.path
    try:
        content = path.read_bytes()
    except OSError as error:
        cause = error.strerror or error
        raise PostersError(
            f"{path} could be read a moment ago and cannot now: {cause}; ingest again"
        ) from error
    if hashlib.sha256(content).digest() != item.digest:
        raise PostersError(
            f"{path} changed while it was being ingested; ingest again when nothing writes there"
        )
    return content
