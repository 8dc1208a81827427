import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components import pixels, views
from tests.examples import encode, picture

SIZE = 16


def _image(height, width):
    return np.arange(height * width * 3, dtype=np.int64).reshape(height, width, 3)


def _crops(image):
    return {name: pixels.crop(tf.constant(image), name).numpy() for name in views.GEOMETRIES}


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(("long", "first_of_middle"), [(9, 2), (8, 1), (5, 0), (6, 0)])
def test_crops_are_the_ends_and_the_middle_of_the_longer_side(wide, long, first_of_middle):
    image = _image(long, 5)
    crops = _crops(image.transpose(1, 0, 2) if wide else image)
    if wide:
        crops = {name: crop.transpose(1, 0, 2) for name, crop in crops.items()}
    np.testing.assert_array_equal(crops["squished"], image)
    np.testing.assert_array_equal(crops["top"], image[:5])
    np.testing.assert_array_equal(crops["bottom"], image[-5:])
    np.testing.assert_array_equal(crops["middle"], image[first_of_middle : first_of_middle + 5])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40))
def test_crops_are_the_largest_square_inside_the_image(height, width):
    image = _image(height, width)
    side = min(height, width)
    for name, crop in _crops(image).items():
        if name == "squished":
            continue
        assert crop.shape == (side, side, 3)
        top, left = divmod(int(crop[0, 0, 0]) // 3, width)
        np.testing.assert_array_equal(crop, image[top : top + side, left : left + side])


@pytest.mark.parametrize("shape", [(2, 3, 3), (4, 2, 3, 3)])
def test_mirroring_exchanges_left_and_right(shape):
    image = np.arange(np.prod(shape)).reshape(shape)
    mirrored = pixels.mirror(tf.constant(image)).numpy()
    np.testing.assert_array_equal(mirrored, image[..., ::-1, :])
    np.testing.assert_array_equal(mirrored, tf.image.flip_left_right(image))


def test_a_geometry_is_stored_the_same_alone_and_beside_others():
    images = tf.constant([encode(picture(0)), encode(picture(1, 70, 30), "PNG")])
    together = pixels.materialize(images, SIZE, views.GEOMETRIES)
    assert together.shape == (2, len(views.GEOMETRIES))
    for column, name in enumerate(views.GEOMETRIES):
        np.testing.assert_array_equal(
            pixels.materialize(images, SIZE, (name,))[:, 0], together[:, column]
        )


def test_views_of_a_square_image_are_all_the_same():
    stored = pixels.materialize(
        tf.constant([encode(picture(0, 40, 40))]), SIZE, views.GEOMETRIES
    ).numpy()
    assert len(set(stored[0])) == 1


def test_a_crop_is_resized_as_if_it_were_the_image():
    image = picture(0, 40, 60)
    top = encode(image.crop((0, 0, 40, 40)), "PNG")
    np.testing.assert_array_equal(
        pixels.materialize(tf.constant([encode(image, "PNG")]), SIZE, ("top",)),
        pixels.materialize(tf.constant([top]), SIZE, ("squished",)),
    )


def test_views_come_in_the_order_asked_for():
    names = ("bottom_mirrored", "squished", "top", "squished_mirrored")
    geometries = views.geometries(names)
    stored = pixels.materialize(tf.constant([encode(picture(0))]), SIZE, geometries)
    made = pixels.to_model_views(stored, SIZE, names)
    for name, image in zip(names, made, strict=True):
        column = geometries.index(views.geometry(name))
        alone = pixels.to_model_input(stored[:, column], SIZE).numpy()
        wanted = alone[:, :, ::-1] if views.is_mirrored(name) else alone
        np.testing.assert_array_equal(image, wanted)


def test_normalized_pixels_are_the_same_in_graphs_and_outside_of_them():
    levels = tf.cast(tf.range(256), tf.uint8)
    outside = pixels.normalize(levels).numpy()
    np.testing.assert_array_equal(tf.function(pixels.normalize)(levels), outside)
    np.testing.assert_allclose(outside, np.arange(256) / 255, rtol=1e-6)
    assert (outside[0], outside[-1]) == (0.0, 1.0)
