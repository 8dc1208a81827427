"""Reading TFRecord files of examples, gzipped or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import tensorflow as tf
from google.protobuf.message import DecodeError

from components.data_sets import untuned
from components.errors import PostersError


def read(files: tf.Tensor | Sequence[str]) -> tf.data.Dataset:
    """Serialized examples, one file after the other.

    Args:
      files: a path or several, () or (N,) strings; those that end in `.gz` are gzipped.
    """
    names = tf.reshape(tf.convert_to_tensor(files, tf.string), (-1,))
    return untuned(tf.data.Dataset.from_tensor_slices(names).flat_map(_read_one))


def examples(file: str) -> Iterator[tuple[bytes, tf.train.Example]]:
    """A file's records, serialized and parsed.

    Raises:
      PostersError: it is no TFRecord file of examples, or is cut off.
    """
    compression, done = "GZIP" if file.endswith(".gz") else "", 0
    try:
        records = tf.data.TFRecordDataset(file, compression, buffer_size=1 << 20)
        for record in untuned(records).as_numpy_iterator():
            yield record, tf.train.Example.FromString(record)
            done += 1
    except (tf.errors.OpError, DecodeError) as error:
        reason = getattr(error, "message", str(error)).partition("\n")[0]
        raise PostersError(f"{file}, after {done} examples: {reason:.200}") from error


def read_apart(files: Sequence[str], batch: int) -> tf.data.Dataset:
    """Batches of serialized examples (n,), at most so many and all of one file, and its place ().

    Args:
      files: N paths; a place is in [0, N), int64.
      batch: examples at most.
    """

    @tf.autograph.experimental.do_not_convert
    def of_file(place: tf.Tensor, file: tf.Tensor) -> tf.data.Dataset:
        places = tf.data.Dataset.from_tensors(place).repeat()
        return tf.data.Dataset.zip((_read_one(file).batch(batch), places))

    return untuned(tf.data.Dataset.from_tensor_slices(list(files)).enumerate().flat_map(of_file))


@tf.autograph.experimental.do_not_convert
def _read_one(file: tf.Tensor) -> tf.data.Dataset:
    compressed = tf.strings.regex_full_match(file, r"(?s).*\.gz")
    return tf.data.TFRecordDataset(file, compression_type=tf.where(compressed, "GZIP", ""))
