"""What Transform does to an example: pixels of one size, labels as a multi-hot vector."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from components import pixels
from components.features import Features


def preprocessing_fn(
    inputs: Mapping[str, Any], custom_config: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """The Transform node's entry point.

    Args:
      inputs: raw features as the schema shapes them: image and id dense (N, 1) strings, labels and,
        if the schema has them, other labels sparse (N, ?) string tensors.
      custom_config: `features` (fields of `Features`), `labels` (the vocabulary, in order),
        `image_size` (side in pixels) and `geometries` (see `views`).

    Returns:
      The image feature's `_xf`: (N, geometries) strings, RGB JPEG of the size asked for; the label
      feature's `_xf`: (N, labels) float32 multi-hot; and the id, (N, 1) strings, so that features
      and scores can be told apart later.
    """
    features = Features(**custom_config["features"])
    given = [inputs[name] for name in (features.labels, features.other_labels) if name in inputs]
    by_feature = [multi_hot(labels, custom_config["labels"]) for labels in given]
    return {
        features.image_xf: pixels.materialize(
            tf.squeeze(inputs[features.image], axis=1),
            custom_config["image_size"],
            custom_config["geometries"],
        ),
        features.labels_xf: functools.reduce(tf.maximum, by_feature),
        features.id: inputs[features.id],
    }


def multi_hot(labels: tf.SparseTensor, vocabulary: Sequence[str]) -> tf.Tensor:
    """(N, ?) sparse label names to a (N, len(vocabulary)) float32 tensor of 0 and 1.

    A name outside the vocabulary sets nothing: ingest puts such labels into a feature of their own,
    and the schema's domain reports the unknown ones. A name given twice counts once.
    """
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(list(vocabulary)), tf.range(len(vocabulary), dtype=tf.int64)
        ),
        default_value=-1,
    )
    # One row of zeros comes out for an index of -1.
    one_hot = tf.one_hot(
        tf.sparse.to_dense(
            tf.SparseTensor(labels.indices, table.lookup(labels.values), labels.dense_shape),
            default_value=-1,
        ),
        depth=len(vocabulary),
    )
    return tf.ensure_shape(tf.minimum(tf.reduce_sum(one_hot, axis=1), 1.0), (None, len(vocabulary)))
