"""Data sets without the thread that tunes them."""

import tensorflow as tf

from components.data_sets import PARALLEL, untuned


def test_the_elements_stay_and_the_tuner_goes():
    numbers = tf.data.Dataset.range(5)
    assert numbers.options().autotune.enabled is not False
    made = untuned(numbers).map(lambda number: number * 2, num_parallel_calls=PARALLEL)
    assert made.options().autotune.enabled is False
    assert list(made.as_numpy_iterator()) == [0, 2, 4, 6, 8]
