"""Decoding inside the exported model, where an image that is none must spoil no other's row.

A TensorFlow graph has no way to catch an error, except for one: a data set that leaves out the
elements whose work failed. So each request's images are the elements of one, made and emptied
inside the signature.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

#: Elements in flight: enough to keep every core of a small machine decoding.
_PARALLEL_IMAGES = 16
#: What files of a form begin with.
_BEGINNINGS = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG", "GIF": b"GIF8", "BMP": b"BM"}


def store_each(
    store: Callable[[tf.Tensor], tf.Tensor], images: tf.Tensor, instead: bytes, columns: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Applies a function that decodes to each image by itself.

    Args:
      store: a scalar string to (columns,) strings; fails on what it cannot decode.
      images: (N,) strings.
      instead: what stands in a row of an image that `store` failed on.
      columns: how many strings `store` makes of an image.

    Returns:
      (N, columns) strings, and (N,) bool: whether the image was decoded.
    """

    @tf.autograph.experimental.do_not_convert
    def numbered(row: tf.Tensor, image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return row, store(image)

    count = tf.shape(images, tf.int64)[0]
    stored = (
        tf.data.Dataset.from_tensor_slices(images)
        .enumerate()
        .map(numbered, num_parallel_calls=_PARALLEL_IMAGES)
        .ignore_errors()
    )
    # One more element, since nothing can be taken out of an empty data set.
    last = tf.data.Dataset.from_tensors((count, tf.fill([columns], instead)))
    whole = stored.concatenate(last).batch(count + 1).with_options(_options())
    rows, made = whole.get_single_element()
    rows, made = rows[:-1, tf.newaxis], made[:-1]
    return (
        tf.tensor_scatter_nd_update(tf.fill([count, columns], instead), rows, made),
        tf.scatter_nd(rows, tf.ones_like(rows[:, 0]), [count]) > 0,
    )


def status(images: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
    """Says why an image was not decoded.

    Args:
      images: (N,) strings.
      decoded: (N,) bool.

    Returns:
      (N,) strings, empty where the image was decoded.
    """
    sizes = tf.strings.as_string(tf.strings.length(images))
    reason = tf.strings.join(["not a JPEG, PNG, GIF or BMP image (", sizes, " bytes)"])
    for form, beginning in _BEGINNINGS.items():
        damaged = tf.strings.join([f"a damaged or cut off {form} image (", sizes, " bytes)"])
        begins = tf.strings.substr(images, 0, len(beginning)) == beginning
        reason = tf.where(begins, damaged, reason)
    reason = tf.where(images == "", "no image: 0 bytes", reason)
    return tf.where(decoded, "", reason)


def _options() -> tf.data.Options:
    """Without what a long-lived data set gains from and one of a single request only pays for."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return options
