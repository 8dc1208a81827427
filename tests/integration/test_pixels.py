"""The pixels of training, evaluation and serving are the same, to the last bit."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit

from components import pixels, views
from components.trainer import calibration, export, extraction
from components.trainer.examples import RawExamples, StoredExamples
from tests.examples import (
    FEATURES,
    encode,
    example,
    odd_images,
    picture,
    transformed_example,
    transformed_spec,
    write_records,
)
from tests.transforming import RAW_SPEC, transform

SIZE = 16
LABELS = ["Drama", "Comedy", "Film-Noir"]
CONFIG = {
    "features": {},
    "labels": LABELS,
    "image_size": SIZE,
    "geometries": views.geometries(views.VIEWS),
}


@pytest.fixture(scope="module")
def images():
    return odd_images()


@pytest.fixture(scope="module")
def transformed(images, tmp_path_factory):
    """What a real Transform, on Beam, makes of the odd images; and its graph."""
    labels = ["Comedy", "Drama", "Comedy", "Unknown"]
    rows, output = transform(images, labels, CONFIG, tmp_path_factory.mktemp("transform"))
    return {row[FEATURES.id][0].decode(): row for row in rows}, output


@pytest.fixture(scope="module")
def served(transformed, tmp_path_factory):
    """An exported model whose scores give away the pixels of every view."""
    _, output = transformed
    count, width = len(views.VIEWS), len(views.VIEWS) * SIZE * SIZE * 3

    def extractor(batch):
        """Pixels of each view in a place of their own, so that a mean over the views keeps all."""
        by_view = tf.reshape(batch, (count, -1, 1, width // count))
        return tf.reshape(by_view * tf.eye(count)[:, None, :, None], (-1, width))

    extractor.width = width  # or it would be asked for one view alone

    parts = export.ModelParts(
        transform=output.transform_features_layer(),
        raw_feature_spec=output.raw_feature_spec(),
        extractor=extractor,
        head=lambda features: features * count,
        calibration=calibration.Calibration(np.ones(width), np.zeros(width), np.full(width, 0.5)),
        labels=[str(index) for index in range(width)],
        features=FEATURES,
        image_size=SIZE,
        views=views.VIEWS,
    )
    folder = str(tmp_path_factory.mktemp("model"))
    export.export(parts, folder, {})
    return tf.saved_model.load(folder)


def _pixels_of(outputs):
    shape = (-1, len(views.VIEWS), SIZE, SIZE, 3)
    return logit(outputs["scores"].numpy().astype(np.float64)).reshape(shape)


def test_transform_stores_what_the_shared_function_makes(images, transformed):
    rows, _ = transformed
    for name, content in images.items():
        np.testing.assert_array_equal(
            rows[name][FEATURES.image_xf],
            pixels.materialize(tf.constant([content]), SIZE, views.GEOMETRIES)[0],
        )


def test_squished_pixels_are_the_whole_image_resized_and_nothing_else(images, transformed):
    rows, _ = transformed
    for name, content in images.items():
        image = tf.io.decode_image(content, channels=3, expand_animations=False)
        resized = tf.round(tf.image.resize(image, (SIZE, SIZE), antialias=True))
        stored = tf.io.encode_jpeg(
            tf.saturate_cast(resized, tf.uint8),
            format="rgb",
            quality=95,
            chroma_downsampling=False,
        )
        assert rows[name][FEATURES.image_xf][0] == stored


@pytest.fixture(scope="module", params=[RawExamples, StoredExamples])
def trained_on(request, images, transformed, tmp_path_factory):
    """(N, views, SIZE, SIZE, 3): the pixels that the Trainer's extractor is given, view by view."""
    rows, _ = transformed
    folder = tmp_path_factory.mktemp("training")
    if request.param is RawExamples:
        records = [example(name, content, LABELS[:1]) for name, content in images.items()]
        more = RAW_SPEC, FEATURES, LABELS
    else:
        records = [transformed_example(name, rows[name][FEATURES.image_xf], [1]) for name in images]
        more = transformed_spec(len(views.GEOMETRIES), 1), FEATURES, views.GEOMETRIES
    file = write_records(folder / "examples.gz", records)
    seen = []
    for view in views.VIEWS:
        source = extraction.FeatureSource(
            examples=request.param([str(file)], *more),
            extractor=lambda batch: tf.reshape(batch, (-1, SIZE * SIZE * 3)),
            extractor_fingerprint="pixels",
            code="code",
            image_size=SIZE,
            views=(view,),
        )
        split = extraction.load_or_compute(folder / "features", source, lambda done: None)
        seen.append(split.take(slice(None)).reshape(-1, SIZE, SIZE, 3))
    return np.stack(seen, axis=1)


@pytest.mark.parametrize("signature", ["serving_default", "serving_examples"])
def test_serving_sees_the_pixels_of_training(images, trained_on, served, signature):
    if signature == "serving_default":
        asked = {export.IMAGE_INPUT: tf.constant(list(images.values()))}
    else:
        asked = {
            "examples": tf.constant(
                [example(name, content, ["Drama"]) for name, content in images.items()]
            )
        }
    serving = _pixels_of(served.signatures[signature](**asked))
    # A score is a float32 sigmoid; what is lost there is far below one level in 255.
    np.testing.assert_allclose(serving, trained_on, atol=1e-5)
    np.testing.assert_array_equal(np.round(serving * 255), np.round(trained_on * 255))


def test_training_sees_what_the_shared_functions_make(images, transformed, trained_on):
    rows, _ = transformed
    stored = tf.constant([rows[name][FEATURES.image_xf] for name in images])
    made = pixels.to_model_views(stored, SIZE, views.VIEWS)
    np.testing.assert_array_equal(trained_on, np.stack(made, axis=1))
    np.testing.assert_array_equal(trained_on[:, 0], pixels.to_model_input(stored[:, 0], SIZE))


def test_labels_are_multi_hot_in_the_order_of_the_vocabulary(transformed, served):
    rows, _ = transformed
    for row in rows.values():
        np.testing.assert_array_equal(row[FEATURES.labels_xf], [1, 1, 0])
    records = [
        example("a", b"never decoded", ["Film-Noir"]),
        example("b", b"never decoded", ["Unknown"]),
        example("c", b"never decoded", []),
    ]
    outputs = served.signatures[export.TRANSFORM_LABELS](examples=tf.constant(records))
    np.testing.assert_array_equal(outputs[FEATURES.labels_xf], [[0, 0, 1], [0, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 65])
def test_any_number_of_images_can_be_asked_about_at_once(served, count):
    distinct = [encode(picture(seed, 20, 30)) for seed in range(7)]
    asked = [distinct[index % 7] for index in range(count)]
    answer = served.signatures["serving_default"](
        **{export.IMAGE_INPUT: tf.constant(asked, tf.string)}
    )
    width = len(views.VIEWS) * SIZE * SIZE * 3
    assert answer["scores"].shape == (count, width)
    assert answer[FEATURES.labels].shape == (count, width)
    if count:
        alone = served.signatures["serving_default"](
            **{export.IMAGE_INPUT: tf.constant(asked[-1:])}
        )
        np.testing.assert_allclose(answer["scores"][-1], alone["scores"][0], atol=1e-6)


@tf.function(input_signature=[tf.TensorSpec((1,), tf.string)], autograph=False)
def _materialized(images):
    return pixels.materialize(images, SIZE, views.GEOMETRIES)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_broken_image_is_decoded_or_refused_but_never_crashes(images, data):
    content = bytearray(data.draw(st.sampled_from(list(images.values()))))
    how = data.draw(st.sampled_from(["cut", "flip", "noise"]))
    if how == "cut":
        content = content[: data.draw(st.integers(0, len(content)))]
    elif how == "flip":
        for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=20)):
            content[place] ^= data.draw(st.integers(1, 255))
    else:
        content = data.draw(st.binary(max_size=200))
    try:
        stored = _materialized(tf.constant([bytes(content)]))
    except (tf.errors.InvalidArgumentError, tf.errors.ResourceExhaustedError):
        return
    assert pixels.to_model_input(stored[0], SIZE).shape == (len(views.GEOMETRIES), SIZE, SIZE, 3)
