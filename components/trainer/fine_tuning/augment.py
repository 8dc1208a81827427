"""Random changes to training images, the same ones for the same seed, epoch and index."""

from __future__ import annotations

import tensorflow as tf

#: Share of the image that a crop keeps.
_CROP_AREA = (0.7, 1.0)
#: Largest ratio of a crop's sides; what is cropped is a square already squished.
_CROP_RATIO = 1.1
#: Largest shift of all channels, in [0, 1].
_BRIGHTNESS = 0.1
#: Factors on the distance from the mean, and on the distance from grey.
_CONTRAST = (0.8, 1.2)
_SATURATION = (0.8, 1.2)


def augment(image: tf.Tensor, seed: int, epoch: int, index: tf.Tensor) -> tf.Tensor:
    """Mirrors, crops, brightens and recolours one image at random.

    Args:
      image: (size, size, 3) uint8.
      seed: of the run.
      epoch: from 1.
      index: int64 scalar, the image's place in the epoch.

    Returns:
      (size, size, 3) uint8, a function of the arguments alone: a run that goes on in the middle
      sees what it would have seen.
    """
    of_epoch = tf.random.experimental.stateless_fold_in(tf.constant([seed, epoch], tf.int64), index)
    flip, box, light, contrast, saturation = tf.unstack(
        tf.random.experimental.stateless_split(of_epoch, 5)
    )
    size = image.shape[0]
    changed = tf.image.stateless_random_flip_left_right(tf.cast(image, tf.float32) / 255.0, flip)
    changed = tf.image.crop_and_resize(changed[tf.newaxis], crop_box(box), [0], (size, size))[0]
    changed = tf.image.stateless_random_brightness(changed, _BRIGHTNESS, light)
    changed = tf.image.stateless_random_contrast(changed, *_CONTRAST, contrast)
    # Colours outside [0, 1] have no saturation.
    changed = tf.clip_by_value(changed, 0.0, 1.0)
    changed = tf.image.stateless_random_saturation(changed, *_SATURATION, saturation)
    return tf.saturate_cast(tf.round(changed * 255.0), tf.uint8)


def crop_box(seed: tf.Tensor) -> tf.Tensor:
    """One random crop: (1, 4) float32, top, left, bottom and right in [0, 1] of the image.

    Args:
      seed: (2,) integers.
    """
    area, ratio, top, left = tf.unstack(tf.random.stateless_uniform((4,), seed))
    area = _CROP_AREA[0] + area * (_CROP_AREA[1] - _CROP_AREA[0])
    ratio = tf.pow(_CROP_RATIO, 2.0 * ratio - 1.0)
    height = tf.minimum(tf.sqrt(area * ratio), 1.0)
    width = tf.minimum(area / height, 1.0)
    top, left = top * (1.0 - height), left * (1.0 - width)
    return tf.stack([top, left, top + height, left + width])[tf.newaxis]
