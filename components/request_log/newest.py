"""The newest images that one version was asked about, whatever else lies in the log's folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from components.request_log import records
from components.request_log.records import Asked, Row


@dataclasses.dataclass(frozen=True)
class Newest:
    """What was found.

    Attributes:
      logged: images of the version that were read, the same one as often as it was asked about.
      asked: the newest of them, each image once; None if there is none.
      left_out: of every file that is damaged or somebody else's, its path and what is wrong.
    """

    logged: int
    asked: Asked | None
    left_out: tuple[str, ...]


def read(
    folder: str, version: int, labels: Sequence[str], count: int, width: int | None = None
) -> Newest:
    """Reads the log from its newest file back, until there is enough.

    Args:
      folder: that of the log, on any file system that TensorFlow reads.
      version: the model's.
      labels: the model's; a file that has others of that version is of another model.
      count: how many different images are wanted.
      width: of the model's embeddings; None takes that of the first one.

    Raises:
      tf.errors.OpError: the folder cannot be read.
    """
    rows: list[Row] = []
    left_out: list[str] = []
    digests: set[bytes] = set()
    for file in reversed(records.files(folder)):
        try:
            found = _of_model(file, version, tuple(labels), width)
        except tf.errors.NotFoundError:
            continue  # a server removed it meanwhile, as its oldest one
        except records.DAMAGE as error:
            left_out.append(f"{file}: {records.why(error)}")
            continue
        rows += found
        width = width or (len(found[0].embedding) if found else None)
        digests.update(row.digest for row in found)
        if len(digests) >= count:
            break
    once = list({row.digest: row for row in sorted(rows, key=lambda row: row.time)}.values())
    once.sort(key=lambda row: row.time)
    asked = records.to_asked(tuple(labels), once[-count:]) if once else None
    return Newest(len(rows), asked, tuple(left_out))


def _of_model(file: str, version: int, labels: tuple[str, ...], width: int | None) -> list[Row]:
    found = []
    for _, names, row in records.rows_of(file, version):
        width = width or len(row.embedding)
        if names != labels or len(row.embedding) != width:
            raise ValueError(f"version {version} stands there with another model's labels or size")
        found.append(row)
    return found
