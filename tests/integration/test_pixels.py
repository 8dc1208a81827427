"""The pixels of training, evaluation and serving are the same, to the last bit."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit
from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io, schema_utils

from components import pixels
from components.trainer import calibration, export
from components.transform.preprocessing import preprocessing_fn
from tests.examples import FEATURES, encode, example, odd_images, picture

SIZE = 16
LABELS = ["Drama", "Comedy", "Film-Noir"]
RAW_SPEC = {
    FEATURES.image: tf.io.FixedLenFeature([1], tf.string),
    FEATURES.labels: tf.io.VarLenFeature(tf.string),
    FEATURES.id: tf.io.FixedLenFeature([1], tf.string),
}
CONFIG = {"features": {}, "labels": LABELS, "image_size": SIZE}


@pytest.fixture(scope="module")
def images():
    return odd_images()


@pytest.fixture(scope="module")
def transformed(images, tmp_path_factory):
    """What a real Transform, on Beam, makes of the odd images; and its graph."""
    rows = [
        {
            FEATURES.image: np.array([content], object),
            FEATURES.labels: np.array([b"Comedy", b"Drama", b"Comedy", b"Unknown"], object),
            FEATURES.id: np.array([name.encode()], object),
        }
        for name, content in images.items()
    ]
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(RAW_SPEC))
    output = tmp_path_factory.mktemp("transform")
    with tft_beam.Context(temp_dir=str(tmp_path_factory.mktemp("temp"))):
        (data, _), transform_fn = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocessing_fn(inputs, CONFIG)
        )
        transform_fn | tft_beam.WriteTransformFn(str(output))
        raw_metadata = str(output / tft.TFTransformOutput.RAW_METADATA_DIR)
        metadata_io.write_metadata(metadata, raw_metadata)
    return {row[FEATURES.id][0].decode(): row for row in data}, tft.TFTransformOutput(str(output))


@pytest.fixture(scope="module")
def served(transformed, tmp_path_factory):
    """An exported model whose scores give away the pixels that its extractor was given."""
    _, output = transformed
    width = SIZE * SIZE * 3
    parts = export.ModelParts(
        transform=output.transform_features_layer(),
        raw_feature_spec=output.raw_feature_spec(),
        extractor=lambda batch: tf.reshape(batch, (-1, width)),
        head=lambda features: features,
        calibration=calibration.Calibration(np.ones(width), np.zeros(width), np.full(width, 0.5)),
        labels=[str(index) for index in range(width)],
        features=FEATURES,
        image_size=SIZE,
    )
    folder = str(tmp_path_factory.mktemp("model"))
    export.export(parts, folder, {})
    return tf.saved_model.load(folder)


def _pixels_of(outputs):
    return logit(outputs["scores"].numpy().astype(np.float64)).reshape(-1, SIZE, SIZE, 3)


def test_transform_stores_what_the_shared_function_makes(images, transformed):
    rows, _ = transformed
    for name, content in images.items():
        assert rows[name][FEATURES.image_xf] == pixels.materialize(tf.constant([content]), SIZE)[0]


@pytest.mark.parametrize("signature", ["serving_default", "serving_examples"])
def test_serving_sees_the_pixels_of_training(images, transformed, served, signature):
    rows, _ = transformed
    stored = tf.constant([rows[name][FEATURES.image_xf] for name in images])
    training = pixels.to_model_input(stored, SIZE).numpy()
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
    np.testing.assert_allclose(serving, training, atol=1e-5)
    np.testing.assert_array_equal(np.round(serving * 255), np.round(training * 255))


def test_the_feature_cache_decodes_as_serving_does(images):
    stored = pixels.materialize(tf.constant(list(images.values())), SIZE)
    one_by_one = np.stack([pixels.decode_stored(image, SIZE).numpy() for image in stored])
    np.testing.assert_array_equal(
        pixels.normalize(one_by_one).numpy(), pixels.to_model_input(stored, SIZE).numpy()
    )


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


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 130])
def test_any_number_of_images_can_be_asked_about_at_once(served, count):
    distinct = [encode(picture(seed, 20, 30)) for seed in range(7)]
    asked = [distinct[index % 7] for index in range(count)]
    answer = served.signatures["serving_default"](
        **{export.IMAGE_INPUT: tf.constant(asked, tf.string)}
    )
    width = SIZE * SIZE * 3
    assert answer["scores"].shape == (count, width)
    assert answer[FEATURES.labels].shape == (count, width)
    if count:
        alone = served.signatures["serving_default"](
            **{export.IMAGE_INPUT: tf.constant(asked[-1:])}
        )
        np.testing.assert_allclose(answer["scores"][-1], alone["scores"][0], atol=1e-6)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_broken_image_is_decoded_or_refused_but_never_crashes(data):
    content = bytearray(data.draw(st.sampled_from(list(odd_images().values()))))
    how = data.draw(st.sampled_from(["cut", "flip", "noise"]))
    if how == "cut":
        content = content[: data.draw(st.integers(0, len(content)))]
    elif how == "flip":
        for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=20)):
            content[place] ^= data.draw(st.integers(1, 255))
    else:
        content = data.draw(st.binary(max_size=200))
    try:
        stored = pixels.materialize(tf.constant([bytes(content)]), SIZE)
    except (tf.errors.InvalidArgumentError, tf.errors.ResourceExhaustedError):
        return
    assert pixels.to_model_input(stored, SIZE).shape == (1, SIZE, SIZE, 3)
