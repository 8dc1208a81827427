"""What a batch is asked of: posters by their place, or examples in TFRecord files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import tensorflow as tf

from components import paths, record_files
from components.errors import PostersError
from components.features import Features
from components.paths import AnyPath
from components.serving.asking import batches
from components.serving.posters import Poster

#: What the names of files of examples end in: as ingest and as Transform's neighbours write them.
_RECORD_FILES = ("*.tfrecord", "*.tfrecord.gz", "*.gz")


class Shard(NamedTuple):
    """The work of one file of predictions, as the plan holds it.

    Attributes:
      examples: the TFRecord file whose examples are asked about; empty if posters are.
      posters: the posters.
    """

    examples: str
    posters: tuple[Poster, ...]

    def to_line(self) -> str:
        """The shard as JSON."""
        return json.dumps([self.examples, self.posters])

    @classmethod
    def from_line(cls, line: str) -> Shard:
        """What `to_line` wrote."""
        examples, posters = json.loads(line)
        return cls(examples, tuple(Poster(*poster) for poster in posters))


def of_posters(posters: Iterable[Poster], size: int) -> Iterator[Shard]:
    """Shards of so many posters each, in their order."""
    return (Shard("", tuple(batch)) for batch in batches(posters, size))


def of_examples(folder: AnyPath) -> Iterator[Shard]:
    """A shard for each TFRecord file in a folder, by name.

    Raises:
      PostersError: there is none.
    """
    found = {str(path) for pattern in _RECORD_FILES for path in folder.glob(pattern)}
    if not found:
        raise PostersError(
            f"{folder} holds no file {' or '.join(_RECORD_FILES)}: --examples takes the folder of "
            "one split, such as DATA/span-1/test."
        )
    return (Shard(path, ()) for path in sorted(found))


def read_examples(path: str, features: Features) -> Iterator[tuple[Poster, bytes]]:
    """The id and the image of every example in a file.

    Raises:
      PostersError: it is no TFRecord file of examples, or is cut off.
    """
    for number, (_, parsed) in enumerate(record_files.examples(path)):
        example = parsed.features.feature
        identifier = b"".join(_values(example, features.id)).decode(errors="replace")
        image = _values(example, features.image)
        yield Poster(identifier or str(number), path), image[0] if image else b""


def _values(example: tf.train.Example, feature: str) -> Sequence[bytes]:
    return example[feature].bytes_list.value if feature in example else ()


def size_of(shard: Shard) -> int | None:
    """Bytes of a shard's file of examples; None if it has none."""
    if not shard.examples:
        return None
    path = paths.to_path(shard.examples)
    return path.stat().st_size
