"""The textbook's way keeps up with the functions that it shares with the pipeline."""

import numpy as np
import tensorflow as tf

from bench.textbook.preprocessing import preprocessing_fn
from tests.examples import FEATURES, encode, picture


def test_its_preprocessing_gives_dense_images_and_multi_hot_labels():
    inputs = {
        FEATURES.image: tf.constant([[encode(picture(seed))] for seed in range(2)]),
        FEATURES.labels: tf.sparse.from_dense([["War", ""], ["Drama", "War"]]),
    }
    made = preprocessing_fn(
        inputs, {"features": {}, "image_size": 24, "labels": ["Drama", "War", "Western"]}
    )
    images = made[FEATURES.image_xf].numpy()
    assert (images.shape, images.dtype) == ((2, 24, 24, 3), np.float32)
    assert 0 <= images.min() < images.max() <= 1
    assert made[FEATURES.labels_xf].numpy().tolist() == [[0, 1, 0], [1, 1, 0]]
