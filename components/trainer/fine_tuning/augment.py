"""Random changes to training images, the same ones for the same seed, epoch and index."""

from __future__ import annotations

import tensorflow as tf

#: Share of the image that a crop keeps.
_CROP_AREA = (0.7, 1.0)
#: Largest ratio of a crop's sides; what is cropped is a square already squished.
_CROP_RATIO = 1.1
#: Factors on the distance from grey, and on the distance from the mean.
_SATURATION = (0.8, 1.2)
_CONTRAST = (0.8, 1.2)
#: Added to all channels, which are in [0, 1].
_BRIGHTNESS = (-0.1, 0.1)


def augment(image: tf.Tensor, seed: int, epoch: int, index: tf.Tensor) -> tf.Tensor:
    """Mirrors, crops, recolours and brightens one image at random.

    Args:
      image: (size, size, 3) uint8.
      seed: of the run.
      epoch: from 1.
      index: int64 scalar, the image's place in the epoch.

    Returns:
      (size, size, 3) uint8, a function of the arguments alone: a run that goes on in the middle
      sees what it would have seen.
    """
    of_image = tf.random.experimental.stateless_fold_in(tf.constant([seed, epoch], tf.int64), index)
    draws = tf.random.stateless_uniform((8,), of_image)
    size = image.shape[0]
    pixels = tf.cast(image[tf.newaxis], tf.float32) / 255.0
    changed = tf.image.crop_and_resize(pixels, crop_box(draws[:5]), [0], (size, size))[0]
    changed = _recolour(changed, *tf.unstack(draws[5:]))
    return tf.saturate_cast(tf.round(changed * 255.0), tf.uint8)


def crop_box(draws: tf.Tensor) -> tf.Tensor:
    """One random crop, mirrored half of the time.

    Args:
      draws: (5,) uniform in [0, 1).

    Returns:
      (1, 4) float32 shares of the image: top, left, bottom, right; left is the larger one if the
      crop is to be mirrored, as `tf.image.crop_and_resize` understands it.
    """
    mirror, area, ratio, top, left = tf.unstack(draws)
    area = _between(_CROP_AREA, area)
    ratio = tf.pow(_CROP_RATIO, 2.0 * ratio - 1.0)
    height = tf.minimum(tf.sqrt(area * ratio), 1.0)
    width = tf.minimum(area / height, 1.0)
    top, left = top * (1.0 - height), left * (1.0 - width)
    sides = tf.stack([left, left + width])
    first, last = tf.unstack(tf.where(mirror < 0.5, sides[::-1], sides))
    return tf.stack([top, first, top + height, last])[tf.newaxis]


def _recolour(
    image: tf.Tensor, saturation: tf.Tensor, contrast: tf.Tensor, brightness: tf.Tensor
) -> tf.Tensor:
    """Changes the colours of an image in [0, 1] by three draws from [0, 1)."""
    grey = tf.image.rgb_to_grayscale(image)
    image = grey + _between(_SATURATION, saturation) * (image - grey)
    mean = tf.reduce_mean(image)
    return mean + _between(_CONTRAST, contrast) * (image - mean) + _between(_BRIGHTNESS, brightness)


def _between(limits: tuple[float, float], draw: tf.Tensor) -> tf.Tensor:
    return limits[0] + draw * (limits[1] - limits[0])
