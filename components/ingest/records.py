"""Writing examples: sharded, uncompressed TFRecords, the same bytes from the same source."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from components import paths
from components.errors import PostersError
from components.features import Features
from components.files import file_digest
from components.ingest import convert
from components.paths import AnyPath
from components.store_path import StorePath

if TYPE_CHECKING:
    import tensorflow as tf

#: Images read ahead of the one being written.
_AHEAD = 64


def pack(values: tuple) -> bytes:
    """A tuple as one string of bytes.

    A runner that holds what it groups in memory holds these in a quarter of the tuple's space.
    """
    return pickle.dumps(tuple(values), protocol=5)


def unpack(packed: bytes) -> tuple:
    """The tuple that was packed."""
    return pickle.loads(packed)


class Item(NamedTuple):
    """What becomes one example, without its image: that is read again when it is written.

    Attributes:
      id: the identifier.
      line: the line of the table on which its row begins, from 1.
      source_labels: the row's labels.
      labels: those of them that the vocabulary holds, in the row's order.
      title: the caption, empty when there is none.
      year: None when there is none.
      path: where the image's content lies.
      digest: SHA-256 of that content when it was checked.
      perceptual_hash: 8 bytes.
      as_it_came: whether the content itself is stored, or `convert.to_jpeg` of it.
      byte_count: of the content.
      group: the group's name.
      split: the split's name.
      other_labels: the source's labels that the vocabulary lacks, in the row's order.
    """

    id: str
    line: int
    source_labels: tuple[str, ...]
    labels: tuple[str, ...]
    title: str
    year: int | None
    path: str
    digest: bytes
    perceptual_hash: bytes
    as_it_came: bool
    byte_count: int
    group: str = ""
    split: str = ""
    other_labels: tuple[str, ...] = ()


class Shard(NamedTuple):
    """One written file: its name below the span, its examples, bytes and SHA-256 in hex."""

    name: str
    examples: int
    bytes: int
    sha256: str


def shard_name(split: str, index: int, count: int) -> str:
    """`split/data-NNNNN-of-NNNNN.tfrecord`."""
    return f"{split}/data-{index:05d}-of-{count:05d}.tfrecord"


def to_example(item: Item, content: bytes, features: Features) -> tf.train.Example:
    """The example of an item; what is not there, such as a title or year, has no feature."""
    import tensorflow as tf

    def of_bytes(*values: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

    fields = {
        features.image: of_bytes(content),
        features.labels: of_bytes(*(label.encode("utf-8") for label in item.labels)),
        features.id: of_bytes(item.id.encode("utf-8")),
    }
    if item.other_labels:
        others = (label.encode("utf-8") for label in item.other_labels)
        fields[features.other_labels] = of_bytes(*others)
    if item.title:
        fields[features.title] = of_bytes(item.title.encode("utf-8"))
    if item.year is not None:
        years = tf.train.Int64List(value=[item.year])
        fields[features.year] = tf.train.Feature(int64_list=years)
    return tf.train.Example(features=tf.train.Features(feature=fields))


def to_index(item: Item) -> str:
    """The item's line of the span's index, which later spans read."""
    fields = {
        "id": item.id,
        "sha256": item.digest.hex(),
        "perceptual_hash": item.perceptual_hash.hex(),
        "group": item.group,
        "split": item.split,
        "labels": sorted(item.source_labels),
    }
    return json.dumps(fields, ensure_ascii=False) + "\n"


def write_shard(
    span: AnyPath,
    name: str,
    items: Sequence[Item],
    features: Features,
    written: Callable[[], None] = lambda: None,
) -> Shard:
    """Writes `items` in their order to `span/name`.

    The file appears whole or not at all: a runner may try the same shard again, or twice at once.

    Args:
      span: the folder.
      name: the file's name below it.
      items: what to write.
      features: names of the features.
      written: called after each item.

    Raises:
      PostersError: an image changed since it was checked, or the disk refuses the records.
      OSError: the file cannot be put where it belongs.
    """
    import tensorflow as tf

    path = span / name
    # On a store the records are gathered on the worker's disk, and put there in one go.
    beside = None if isinstance(path, StorePath) else path.parent
    if beside is not None:
        beside.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=beside, prefix=f".{path.name}.")
    os.close(handle)
    try:
        with (
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool,
            tf.io.TFRecordWriter(scratch) as writer,
        ):
            for start in range(0, len(items), _AHEAD):
                part = items[start : start + _AHEAD]
                for item, content in zip(part, pool.map(load, part), strict=True):
                    example = to_example(item, content, features)
                    writer.write(example.SerializeToString(deterministic=True))
                    written()
        shard = Shard(name, len(items), Path(scratch).stat().st_size, file_digest(Path(scratch)))
        _put(Path(scratch), path)
        return shard
    except tf.errors.OpError as error:  # TensorFlow's file errors are no OSError
        cause = error.message.rpartition("; ")[2]  # without the path, which stands there again
        raise PostersError(
            f"cannot write records to {path}: {cause}; nothing was published"
        ) from error
    finally:
        Path(scratch).unlink(missing_ok=True)


def _put(scratch: Path, path: AnyPath) -> None:
    if isinstance(path, StorePath):
        with scratch.open("rb") as content, path.open("wb") as file:
            shutil.copyfileobj(content, file)
    else:
        scratch.chmod(0o644)
        scratch.rename(path)


def load(item: Item) -> bytes:
    """The image as it is stored, if it still is what was checked.

    Raises:
      PostersError: it is gone, or is another.
    """
    try:
        with paths.open_file(item.path) as file:
            content = file.read()
    except OSError as error:
        cause = error.strerror or error
        raise PostersError(
            f"{item.path} could be read a moment ago and cannot now: {cause}; ingest again"
        ) from error
    if hashlib.sha256(content).digest() != item.digest:
        raise PostersError(
            f"{item.path} changed while it was being ingested; ingest again when nothing writes "
            "there"
        )
    return content if item.as_it_came else convert.to_jpeg(content)
