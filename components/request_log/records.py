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
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from components.errors import PostersError

#: What its files are called: `requests-<time in UTC>-<process>.tfrecord`.
PATTERN = "requests-*.tfrecord"


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


def digest(image: bytes) -> bytes:
    """What an image is known by."""
    return hashlib.blake2b(image, digest_size=16).digest()


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
    rows: dict[int, list[tuple]] = {}
    labels: dict[int, tuple[str, ...]] = {}
    for file in sorted(tf.io.gfile.glob(f"{glob.escape(folder)}/{PATTERN}")):
        try:
            for record in tf.data.TFRecordDataset(file).as_numpy_iterator():
                version, names, row = _decode(record)
                if labels.setdefault(version, names) != names:
                    raise ValueError(f"version {version} stands there with two vocabularies")
                rows.setdefault(version, []).append(row)
        except (tf.errors.OpError, ValueError, IndexError) as error:
            reason = getattr(error, "message", str(error)).partition("\n")[0]
            raise PostersError(
                f"{file} is no whole file of requests: {reason:.200}. Remove it and read again."
            ) from error
    return {version: _asked(labels[version], found) for version, found in sorted(rows.items())}


def _decode(record: bytes) -> tuple[int, tuple[str, ...], tuple]:
    feature = tf.train.Example.FromString(record).features.feature
    names = tuple(name.decode() for name in feature["labels"].bytes_list.value)
    embedding = np.array(feature["embedding"].float_list.value, np.float32)
    scores = np.array(feature["scores"].float_list.value, np.float32)
    if len(scores) != len(names) or not len(embedding):
        raise ValueError("a record has no embedding, or not a score a label")
    row = (
        feature["time"].int64_list.value[0],
        embedding,
        scores,
        feature["image_digest"].bytes_list.value[0],
    )
    return feature["model_version"].int64_list.value[0], names, row


def _asked(labels: tuple[str, ...], rows: list[tuple]) -> Asked:
    rows.sort(key=lambda row: row[0])
    times, embeddings, scores, digests = zip(*rows, strict=True)
    return Asked(
        labels=labels,
        embeddings=np.stack(embeddings),
        scores=np.stack(scores),
        times=np.array(times, np.int64),
        digests=np.array(digests, "V16"),
    )
