"""TensorFlow's data sets without the thread that tunes them."""

from __future__ import annotations

import os

import tensorflow as tf

#: How many elements of a step are worked on at once, in the place of `tf.data.AUTOTUNE`.
PARALLEL = len(os.sched_getaffinity(0))


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The same data set, and all that is made of it, with iterators that end when they are done.

    An iterator's end waits for the thread that tunes it. That sleeps twice as long each time, and
    often misses that it is to end: TensorFlow 2.16 wakes it before it marks it as cancelled. What
    took 45 s took 82, then.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
