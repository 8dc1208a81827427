"""Transform, as the templates have it: decoded, resized and scaled images as dense floats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from components.features import Features
from components.transform.preprocessing import multi_hot


def preprocessing_fn(
    inputs: Mapping[str, Any], custom_config: Mapping[str, Any]
) -> dict[str, tf.Tensor]:
    """Images as (N, size, size, 3) float32 in [0, 1], labels as (N, L) multi-hot."""
    features, size = Features(**custom_config["features"]), custom_config["image_size"]

    def decode(image: tf.Tensor) -> tf.Tensor:
        decoded = tf.io.decode_image(image, channels=3, expand_animations=False)
        return tf.image.resize(decoded, (size, size)) / 255.0

    images = tf.map_fn(
        decode,
        tf.squeeze(inputs[features.image], axis=1),
        fn_output_signature=tf.TensorSpec((size, size, 3), tf.float32),
    )
    return {
        features.image_xf: images,
        features.labels_xf: multi_hot([inputs[features.labels]], custom_config["labels"]),
    }
