"""The embedded feature extractor, through tensorflow_hub as the Trainer loads it."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

import components.sample
from components.sample import train_extractor
from components.sample.extractor_model import FEATURE_COUNT, IMAGE_SIZE, as_input, decode_images

EXTRACTOR = Path(components.sample.__file__).parent / "extractor"
TRY_SEED = 31_337


@pytest.fixture(scope="module")
def drawn():
    """Pixels of 450 posters that neither the extractor nor the sample has, and their genres."""
    encoded, labels = train_extractor.draw_encoded(TRY_SEED, 0, 450)
    return decode_images(encoded), labels.astype(int)


def test_whole_folder_is_small_and_says_where_it_comes_from():
    files = [path for path in EXTRACTOR.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 3 * 2**20
    provenance = (EXTRACTOR / "PROVENANCE.md").read_text()
    assert "Apache-2.0" in provenance
    assert "python -m components.sample.train_extractor" in provenance


def test_no_path_of_the_machine_that_made_it_is_inside():
    for path in EXTRACTOR.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for trace in (b"/home/", b"/tmp/", b"/root/", b"/usr/", b"site-packages", b".py:"):
                assert trace not in content, (path.name, trace)


def test_features_have_the_stated_shape_and_type(drawn):
    layer = hub.KerasLayer(str(EXTRACTOR), trainable=False)
    images = as_input(drawn[0][:3])
    assert images.shape[1:] == (IMAGE_SIZE, IMAGE_SIZE, 3)
    features = layer(images)
    assert features.shape == (3, FEATURE_COUNT)
    assert features.dtype == tf.float32
    assert layer.trainable_variables == []
    assert np.isfinite(features).all()
    # One image alone gives what it gives in a batch.
    np.testing.assert_allclose(layer(images[1:2])[0], features[1], rtol=1e-4, atol=1e-5)


def test_fine_tuning_has_gradients_and_uses_the_statistics_of_the_batch(drawn):
    layer = hub.KerasLayer(str(EXTRACTOR), trainable=True)
    images = as_input(drawn[0][:16])
    before = layer(images, training=False).numpy()
    moving = [variable.numpy() for variable in layer.non_trainable_variables]
    assert moving, "no moving statistics of batch normalisation"
    with tf.GradientTape() as tape:
        tuned = layer(images, training=True)
        loss = tf.reduce_mean(tf.square(tuned - 1.0))
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert len(gradients) == len(layer.trainable_variables) > 20
    assert all(gradient is not None for gradient in gradients)
    assert not np.allclose(before, tuned, atol=1e-4)
    after = [variable.numpy() for variable in layer.non_trainable_variables]
    assert any(not np.array_equal(a, b) for a, b in zip(moving, after, strict=True))


def test_inference_leaves_the_statistics_alone(drawn):
    layer = hub.KerasLayer(str(EXTRACTOR), trainable=True)
    moving = [variable.numpy() for variable in layer.non_trainable_variables]
    layer(as_input(drawn[0][:8]), training=False)
    for before, variable in zip(moving, layer.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(before, variable)


def test_a_small_head_on_the_features_is_well_above_everything_positive(drawn):
    pixels, labels = drawn
    layer = hub.KerasLayer(str(EXTRACTOR))
    features = np.concatenate([layer(as_input(part)) for part in tf.split(pixels, 9)])
    features = (features - features[:300].mean(axis=0)) / (features[:300].std(axis=0) + 1e-6)
    predicted = np.zeros_like(labels[300:])
    for column in range(labels.shape[1]):
        head = LogisticRegression(C=0.003, class_weight="balanced", max_iter=500)
        head.fit(features[:300], labels[:300, column])
        predicted[:, column] = head.predict(features[300:])
    reached = f1_score(labels[300:], predicted, average="macro")
    everything = f1_score(labels[300:], np.ones_like(predicted), average="macro")
    assert everything < 0.45
    assert 1.4 * everything < reached < 0.9


@pytest.mark.slow
def test_the_script_trains_and_exports_what_hub_loads(tmp_path):
    out = tmp_path / "extractor"
    arguments = ["--out", str(out), "--posters", "70", "--held-out", "10", "--epochs", "1"]
    assert train_extractor.main(arguments) == 0
    layer = hub.KerasLayer(str(out))
    assert layer(np.zeros((2, IMAGE_SIZE, IMAGE_SIZE, 3), np.float32)).shape == (2, FEATURE_COUNT)
    assert [path.name for path in tmp_path.iterdir()] == ["extractor"]
    digest = hashlib.sha256((out / "PROVENANCE.md").read_bytes()).hexdigest()
    assert train_extractor.main(arguments) == 1
    assert hashlib.sha256((out / "PROVENANCE.md").read_bytes()).hexdigest() == digest
