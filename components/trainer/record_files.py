"""Reading TFRecord files of examples, gzipped or not."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf


def read(files: tf.Tensor | Sequence[str]) -> tf.data.Dataset:
    """Serialized examples, one file after the other.

    Args:
      files: a path or several, () or (N,) strings; those that end in `.gz` are gzipped.
    """
    names = tf.reshape(tf.convert_to_tensor(files, tf.string), (-1,))
    return tf.data.Dataset.from_tensor_slices(names).flat_map(_read_one)


@tf.autograph.experimental.do_not_convert
def _read_one(file: tf.Tensor) -> tf.data.Dataset:
    compressed = tf.strings.regex_full_match(file, r"(?s).*\.gz")
    return tf.data.TFRecordDataset(file, compression_type=tf.where(compressed, "GZIP", ""))
