"""The one way from encoded bytes to the pixels a model sees.

Transform, training, evaluation and serving all go through these two functions, so they see the same
pixels to the last bit: `materialize` makes what Transform stores, `to_model_input` reads it.
"""

from __future__ import annotations

import tensorflow as tf

#: Quality at which a resized image is stored, with full chroma: the loss is below that of resizing.
JPEG_QUALITY = 95
#: Elements of `tf.map_fn` in flight: enough to keep every core of a small machine decoding.
_PARALLEL_IMAGES = 16


def materialize(images: tf.Tensor, size: int) -> tf.Tensor:
    """Decodes images, resizes them (antialiased, squished to a square) and stores them as JPEG.

    Args:
      images: (N,) strings, each one encoded JPEG, PNG, GIF (its first frame) or BMP, told apart by
        content. Grey and CMYK become RGB; an alpha channel is dropped.
      size: side of the square in pixels.

    Returns:
      (N,) strings, RGB JPEG of size x size pixels.

    Raises:
      tf.errors.InvalidArgumentError: an image that cannot be decoded.
    """
    return tf.map_fn(
        lambda image: _materialize_one(image, size),
        images,
        fn_output_signature=tf.string,
        parallel_iterations=_PARALLEL_IMAGES,
    )


def to_model_input(stored: tf.Tensor, size: int) -> tf.Tensor:
    """Decodes what `materialize` stored into what an image feature vector module takes.

    Args:
      stored: (N,) strings from `materialize`.
      size: side of the square in pixels, as given to `materialize`.

    Returns:
      (N, size, size, 3) float32 RGB in [0, 1], the range TF-Hub's common image signature names.
    """
    pixels = tf.map_fn(
        lambda image: decode_stored(image, size),
        stored,
        fn_output_signature=tf.TensorSpec((size, size, 3), tf.uint8),
        parallel_iterations=_PARALLEL_IMAGES,
    )
    return normalize(pixels)


def decode_stored(stored: tf.Tensor, size: int) -> tf.Tensor:
    """Decodes one image that `materialize` stored to (size, size, 3) uint8."""
    pixels = tf.io.decode_jpeg(stored, channels=3, dct_method="INTEGER_ACCURATE")
    return tf.ensure_shape(pixels, (size, size, 3))


def normalize(pixels: tf.Tensor) -> tf.Tensor:
    """Maps uint8 pixels 0..255 to float32 [0, 1]."""
    return tf.cast(pixels, tf.float32) / 255.0


def _materialize_one(image: tf.Tensor, size: int) -> tf.Tensor:
    pixels = tf.io.decode_image(image, channels=3, expand_animations=False)
    resized = tf.image.resize(pixels, (size, size), antialias=True)
    return tf.io.encode_jpeg(
        tf.saturate_cast(tf.round(resized), tf.uint8),
        format="rgb",
        quality=JPEG_QUALITY,
        chroma_downsampling=False,
    )
