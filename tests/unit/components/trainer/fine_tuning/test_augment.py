import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.trainer.fine_tuning.augment import augment, crop_box
from tests.examples import picture

IMAGE = tf.constant(np.asarray(picture(0, 24, 24)))


def _augment(seed=0, epoch=1, index=0, image=IMAGE):
    return augment(image, seed, epoch, tf.constant(index, tf.int64)).numpy()


def test_the_same_seed_epoch_and_index_give_the_same_image():
    np.testing.assert_array_equal(_augment(3, 2, 7), _augment(3, 2, 7))


def test_another_seed_epoch_or_index_gives_another_image():
    images = [_augment(), _augment(seed=1), _augment(epoch=2), _augment(index=1)]
    assert len({image.tobytes() for image in images}) == 4


def test_the_global_seed_changes_nothing():
    tf.random.set_seed(1)
    first = _augment()
    tf.random.set_seed(2)
    np.testing.assert_array_equal(first, _augment())


def test_form_and_type_stay():
    image = _augment()
    assert image.shape == (24, 24, 3)
    assert image.dtype == np.uint8


def test_black_and_white_do_not_wrap_around():
    for index in range(20):
        black = _augment(index=index, image=tf.zeros((8, 8, 3), tf.uint8))
        white = _augment(index=index, image=tf.fill((8, 8, 3), tf.constant(255, tf.uint8)))
        assert black.max() <= 26  # the largest shift of brightness
        assert white.min() >= 229


def test_half_of_the_images_are_mirrored():
    ramp = tf.constant(np.tile(np.linspace(40, 200, 16, dtype=np.uint8)[None, :, None], (16, 1, 3)))
    falling = sum(_augment(index=i, image=ramp)[8, 0, 0] > 120 for i in range(100))
    assert 30 < falling < 70


@given(st.lists(st.floats(0, 1, exclude_max=True, width=32), min_size=5, max_size=5))
def test_a_crop_lies_in_the_image_and_keeps_most_of_it(draws):
    top, left, bottom, right = crop_box(tf.constant(draws)).numpy()[0]
    assert (left > right) == (draws[0] < 0.5)
    left, right = sorted((left, right))
    assert -1e-6 <= top < bottom <= 1 + 1e-6
    assert -1e-6 <= left < right <= 1 + 1e-6
    height, width = bottom - top, right - left
    assert 0.699 <= height * width <= 1 + 1e-6
    assert 1 / 1.22 <= height / width <= 1.22


def test_the_largest_crop_is_the_whole_image():
    box = crop_box(tf.constant([0.9, 1.0, 0.5, 0.0, 0.0]))
    np.testing.assert_allclose(box, [[0, 0, 1, 1]], atol=1e-6)
