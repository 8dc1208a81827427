"""The network of the embedded feature extractor, and its export in TF-Hub's reusable form."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf
import tf_keras

#: Height and width in pixels of what the network takes.
IMAGE_SIZE = 96
#: Width of the feature vector.
FEATURE_COUNT = 192

# Channels of the plain convolutions, each of stride 2: from 96 x 96 pixels down to 12 x 12. There,
# gradients of depthwise ones would take most of the training time on a processor.
_PLAIN = (16, 32, 64)
# Channels and stride of the depthwise separable blocks that follow.
_SEPARABLE = ((128, 1), (128, 1), (192, 2), (FEATURE_COUNT, 1))


def build_network() -> tf_keras.Model:
    """A small network of depthwise separable convolutions.

    Takes float32 images in [0, 1] of shape (batch, IMAGE_SIZE, IMAGE_SIZE, 3) and returns float32
    features, 0 or more, of shape (batch, FEATURE_COUNT).
    """
    layers = tf_keras.layers
    images = layers.Input((IMAGE_SIZE, IMAGE_SIZE, 3))
    x = layers.Rescaling(2.0, offset=-1.0)(images)
    for channels in _PLAIN:
        x = layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False)(x)
        x = _normalised(x)
    for channels, stride in _SEPARABLE:
        x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x)
        x = _normalised(x)
        x = layers.Conv2D(channels, 1, use_bias=False)(x)
        x = _normalised(x)
    return tf_keras.Model(images, layers.GlobalAveragePooling2D()(x), name="poster_features")


def export_network(network: tf_keras.Model, folder: Path) -> None:
    """Writes `network` as a TF2 SavedModel of the kind "image feature vector" into `folder`.

    The model has `__call__(images, training=False)`, `variables`, `trainable_variables` and an
    empty `regularization_losses`, as `hub.KerasLayer` expects them. With `training=True` batch
    normalisation uses the batch's own statistics and updates the moving ones.
    """

    @tf.function(autograph=False)
    def extract(images: tf.Tensor, training: bool = False) -> tf.Tensor:
        return network(images, training=training)

    images = tf.TensorSpec((None, IMAGE_SIZE, IMAGE_SIZE, 3), tf.float32, name="images")
    for training in (False, True):
        extract.get_concrete_function(images, training=training)
    # Only the variables and the two traces go along: no Keras metadata and no optimizer.
    root = tf.train.Checkpoint()
    root.__call__ = extract
    root.variables = network.variables
    root.trainable_variables = network.trainable_variables
    root.regularization_losses = []
    tf.saved_model.save(root, str(folder))
    shutil.rmtree(folder / "assets", ignore_errors=True)


def decode_images(encoded: Iterable[bytes]) -> tf.Tensor:
    """Decodes and resizes images as the pipeline does.

    Returns:
      uint8 pixels of shape (count, IMAGE_SIZE, IMAGE_SIZE, 3); `as_input` makes them the network's.
    """

    @tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
    def decode(image: tf.Tensor) -> tf.Tensor:
        pixels = tf.io.decode_image(image, channels=3, expand_animations=False)
        pixels = tf.image.resize(pixels, (IMAGE_SIZE, IMAGE_SIZE), antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(pixels), 0, 255), tf.uint8)

    return tf.stack([decode(image) for image in encoded])


def as_input(pixels: tf.Tensor) -> tf.Tensor:
    """8 bit pixels as float32 in [0, 1]."""
    return tf.cast(pixels, tf.float32) / 255.0


def _normalised(x: tf.Tensor) -> tf.Tensor:
    return tf_keras.layers.ReLU()(tf_keras.layers.BatchNormalization(momentum=0.98)(x))
