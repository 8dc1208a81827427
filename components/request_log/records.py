"""The form of the log: a `tf.Example` an image, in TFRecord files; and the one way to read it.

embedding      floats, (D,), as the model's signature `embedding` gives it
scores         floats, (L,)
labels         bytes, (L,), the names of the scores
model_version  int64, the version that answered
time           int64, seconds since 1970
image_digest   bytes, BLAKE2b of 16 bytes: tells whether it was the same image; no image is kept
"""

from __future__ import annotations

import dataclasses
import glob
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from components.data_sets import untuned
from components.errors import PostersError

#: What its files are called: `requests-<time in UTC>-<process>.tfrecord`.
PATTERN = "requests-*.tfrecord"
#: What reading a file raises that is damaged, or somebody else's.
DAMAGE = (tf.errors.OpError, DecodeError, ValueError)
_DIGEST_BYTES = 16
#: What TFRecord writes around a record: its length and two checksums.
_FRAME_BYTES = 16
#: Seconds since 1970; beyond it lies no time that a calendar has.
_LAST_TIME = 1 << 36


@dataclasses.dataclass(frozen=True)
class Asked:
    """What one version of a model was asked about; a row an image, the oldest first.

    Attributes:
      labels: L names.
      embeddings: (N, D) float32.
      scores: (N, L) float32 in [0, 1]; above 0.5 the label was given.
      times: (N,) int64, seconds since 1970.
      digests: (N,) bytes of the images' digests.
    """

    labels: tuple[str, ...]
    embeddings: np.ndarray
    scores: np.ndarray
    times: np.ndarray
    digests: np.ndarray

    def __len__(self) -> int:
        return len(self.times)


class Row(NamedTuple):
    """One image of the log; see the module's docstring."""

    time: int
    embedding: np.ndarray
    scores: np.ndarray
    digest: bytes


def digest(image: bytes) -> bytes:
    """What an image is known by."""
    return hashlib.blake2b(image, digest_size=_DIGEST_BYTES).digest()


def encode(
    image_digest: bytes,
    embedding: np.ndarray,
    scores: np.ndarray,
    labels: Sequence[str],
    version: int,
    time: int,
) -> bytes:
    """One image as a serialized `tf.Example`; see the module's docstring."""

    def floats(values: np.ndarray) -> tf.train.Feature:
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))

    def strings(values: Sequence[bytes]) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

    def integer(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    features = {
        "embedding": floats(embedding),
        "scores": floats(scores),
        "labels": strings([label.encode() for label in labels]),
        "model_version": integer(version),
        "time": integer(time),
        "image_digest": strings([image_digest]),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def read(folder: str) -> Mapping[int, Asked]:
    """Reads all that is kept.

    Args:
      folder: that of the log, on any file system that TensorFlow reads.

    Returns:
      What each version was asked about, by its number; nothing if the folder holds no file.

    Raises:
      PostersError: a file is damaged, or somebody else's.
    """
    rows: dict[int, list[Row]] = {}
    forms: dict[int, tuple[tuple[str, ...], int]] = {}
    for file in files(folder):
        try:
            for version, labels, row in rows_of(file):
                form = labels, len(row.embedding)
                if forms.setdefault(version, form) != form:
                    raise ValueError(f"version {version} stands there as two models")
                rows.setdefault(version, []).append(row)
        except DAMAGE as error:
            raise PostersError(
                f"{file} is no whole file of requests: {why(error)}. Remove it and read again."
            ) from error
    return {version: to_asked(forms[version][0], found) for version, found in sorted(rows.items())}


def files(folder: str) -> list[str]:
    """The files of a log, the oldest first.

    Raises:
      tf.errors.OpError: the folder cannot be read.
    """
    return sorted(tf.io.gfile.glob(f"{glob.escape(folder)}/{PATTERN}"))


def rows_of(file: str, wanted: int | None = None) -> Iterator[tuple[int, tuple[str, ...], Row]]:
    """Version, labels and the rest of every image of a file.

    Args:
      file: its path.
      wanted: the version that is; None takes all.

    Raises:
      DAMAGE: see there; what came before may be sound.
    """
    left = tf.io.gfile.stat(file).length
    for record in untuned(tf.data.TFRecordDataset(file)).as_numpy_iterator():
        left -= len(record) + _FRAME_BYTES
        feature = tf.train.Example.FromString(record).features.feature
        try:
            version = feature["model_version"].int64_list.value[0]
            if wanted is None or version == wanted:
                labels = tuple(name.decode() for name in feature["labels"].bytes_list.value)
                yield version, labels, _row(feature, len(labels))
        except IndexError as error:
            raise ValueError("a record lacks what a request has") from error
    if left:  # TensorFlow takes a beginning of a record that has not even its length for the end
        raise ValueError("it is cut off")


def why(error: Exception) -> str:
    """What is wrong with a file, in one line."""
    text = str(getattr(error, "message", None) or error) or type(error).__name__
    return f"{text.splitlines()[0]:.200}"


def _row(feature: Mapping[str, tf.train.Feature], labels: int) -> Row:
    row = Row(
        time=feature["time"].int64_list.value[0],
        embedding=np.array(feature["embedding"].float_list.value, np.float32),
        scores=np.array(feature["scores"].float_list.value, np.float32),
        digest=feature["image_digest"].bytes_list.value[0],
    )
    if len(row.scores) != labels or not len(row.embedding):
        raise ValueError("a record has no embedding, or not a score a label")
    if len(row.digest) != _DIGEST_BYTES or not 0 <= row.time < _LAST_TIME:
        raise ValueError("a record has no digest of an image, or no time")
    return row


def to_asked(labels: tuple[str, ...], rows: Sequence[Row]) -> Asked:
    """Rows of one model, at least one, as arrays."""
    rows = sorted(rows, key=lambda row: row.time)
    return Asked(
        labels=labels,
        embeddings=np.stack([row.embedding for row in rows]),
        scores=np.stack([row.scores for row in rows]),
        times=np.array([row.time for row in rows], np.int64),
        digests=np.array([row.digest for row in rows], f"V{_DIGEST_BYTES}"),
    )
