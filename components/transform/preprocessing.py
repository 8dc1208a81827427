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
    vocabulary = custom_config["labels"]
    given = [inputs[name] for name in (features.labels, features.other_labels) if name in inputs]
    return {
        features.image_xf: pixels.materialize(
            tf.squeeze(inputs[features.image], axis=1),
            custom_config["image_size"],
            custom_config["geometries"],
        ),
        features.labels_xf: multi_hot(given, vocabulary),
        features.id: inputs[features.id],
    }


def multi_hot(labels: Sequence[tf.SparseTensor], vocabulary: Sequence[str]) -> tf.Tensor:
    """Label names to a (N, len(vocabulary)) float32 tensor of 0 and 1.

    A name outside the vocabulary sets nothing: ingest puts such labels into a feature of their own,
    and the schema's domain reports the unknown ones. A name given twice counts once.

    Args:
      labels: one feature or more, (N, ?) sparse strings each; what is in any of them counts.
      vocabulary: the names, in order.
    """
    return functools.reduce(tf.maximum, [_multi_hot(given, vocabulary) for given in labels])


def _multi_hot(labels: tf.SparseTensor, vocabulary: Sequence[str]) -> tf.Tensor:
    # Without a table: for one, TFX's Transform passes over the data, as if it had to analyse them.
    hits = tf.cast(labels.values[:, tf.newaxis] == tf.constant(list(vocabulary)), tf.float32)
    none = tf.zeros((labels.dense_shape[0], len(vocabulary)))
    return tf.ensure_shape(
        tf.tensor_scatter_nd_max(none, labels.indices[:, :1], hits), (None, len(vocabulary))
    )
