"""The signatures of an exported model: a broken image fails its own row, and no other's."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components import pixels, views
from components.trainer import export
from tests.examples import FEATURES, encode, example, odd_images, picture
from tests.serving import BROKEN, LABELS, SIZE, VIEWS

IMAGES = list(odd_images().values())
#: Outputs by signature that an image decides.
DECIDED = {
    "serving_default": ("scores", "probabilities"),
    "serving_examples": ("scores", "probabilities"),
    "embedding": ("embedding",),
    "transform_features": (FEATURES.image_xf,),
}


@pytest.fixture(scope="module")
def model(model_folder):
    return tf.saved_model.load(str(model_folder))


def _ask(model, signature, images):
    if signature in ("serving_default", "embedding"):
        return model.signatures[signature](image_bytes=tf.constant(images, tf.string))
    records = [example(f"tt{row}", image, ["Comedy"]) for row, image in enumerate(images)]
    return model.signatures[signature](examples=tf.constant(records, tf.string))


def _is_lost(values):
    """By row: whether nothing is left of it."""
    if values.dtype.kind == "f":
        assert (np.isnan(values).all(axis=1) == np.isnan(values).any(axis=1)).all()
        return np.isnan(values).all(axis=1)
    black = tf.io.encode_jpeg(tf.zeros((SIZE, SIZE, 3), tf.uint8)).numpy()
    return (values == black).all(axis=1)


@pytest.mark.parametrize("signature", DECIDED)
def test_a_broken_image_fails_its_own_row_and_says_why(model, signature):
    broken = [content for content, _ in BROKEN.values()]
    # Broken ones first, last and among the others.
    mixed = [*broken[:3], *IMAGES, *broken[3:5], *IMAGES[::-1], *broken[5:]]
    answer = _ask(model, signature, mixed)
    good = np.isin(np.arange(len(mixed)), [mixed.index(c) for c in broken], invert=True)
    alone = _ask(model, signature, [*IMAGES, *IMAGES[::-1]])
    for key in DECIDED[signature]:
        rows = answer[key].numpy()
        np.testing.assert_array_equal(_is_lost(rows), ~good)
        if rows.dtype.kind == "f":
            np.testing.assert_allclose(rows[good], alone[key], atol=1e-6)
        else:
            np.testing.assert_array_equal(rows[good], alone[key])
    status = np.char.decode(answer["status"].numpy().astype(bytes))
    assert set(status[good]) == {""}
    for content, words in BROKEN.values():
        assert words in status[mixed.index(content)]


@pytest.mark.parametrize("signature", DECIDED)
@pytest.mark.parametrize("count", [0, 1, 33])
def test_a_batch_of_any_size_may_be_all_broken(model, signature, count):
    answer = _ask(model, signature, [b"no image"] * count)
    for key in DECIDED[signature]:
        assert len(answer[key]) == count
        assert _is_lost(answer[key].numpy()).all()
    assert set(answer["status"].numpy()) <= {b"not a JPEG, PNG, GIF or BMP image (8 bytes)"}


def test_names_stand_in_every_row(model):
    names = _ask(model, "serving_default", [IMAGES[0], b""])[FEATURES.labels].numpy()
    assert [[name.decode() for name in row] for row in names] == [list(LABELS)] * 2


def test_embeddings_are_features_averaged_over_views(model):
    stored = pixels.materialize(tf.constant(IMAGES), SIZE, views.geometries(VIEWS))
    seen = pixels.to_model_views(stored, SIZE, VIEWS)
    pooled = [tf.nn.avg_pool2d(view, SIZE // 2, SIZE // 2, "VALID") for view in seen]
    wanted = np.mean([tf.reshape(view, (len(IMAGES), -1)) for view in pooled], axis=0)
    found = _ask(model, "embedding", IMAGES)["embedding"]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_transform_features_are_what_transform_makes(model):
    answer = _ask(model, "transform_features", IMAGES)
    stored = pixels.materialize(tf.constant(IMAGES), SIZE, views.geometries(VIEWS))
    np.testing.assert_array_equal(answer[FEATURES.image_xf], stored)
    np.testing.assert_array_equal(answer[FEATURES.labels_xf], [[0, 1, 0, 0]] * len(IMAGES))
    assert answer[FEATURES.id].numpy()[1].tolist() == [b"tt1"]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_image_spoils_nothing_else_whatever_the_damage(model, data):
    whole = data.draw(st.sampled_from(IMAGES))
    content = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for place in data.draw(st.lists(st.integers(0, max(0, len(content) - 1)), max_size=9)):
        content[place : place + 1] = bytes([data.draw(st.integers(0, 255))])
    before = _ask(model, "serving_default", [IMAGES[0]])["scores"][0]
    answer = _ask(model, "serving_default", [bytes(content), IMAGES[0]])
    np.testing.assert_allclose(answer["scores"][1], before, atol=1e-6)
    lost = np.isnan(answer["scores"][0]).any()
    assert lost == bool(answer["status"].numpy()[0])


def test_a_session_answers_the_same(model, model_folder):
    """TensorFlow Serving and TFX's BulkInferrer ask through a session, not through functions."""
    asked = [IMAGES[0], b"no image", encode(picture(77))]
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(model_folder))
        signature = loaded.signature_def[export.SERVING_DEFAULT]
        names = {key: info.name for key, info in signature.outputs.items()}
        answer = session.run(names, {signature.inputs[export.IMAGE_INPUT].name: asked})
    eager = _ask(model, "serving_default", asked)
    np.testing.assert_allclose(answer["scores"], eager["scores"], atol=1e-6)
    np.testing.assert_array_equal(answer["status"], eager["status"])


def test_the_head_alone_scores_embeddings_as_the_whole_model_does(model):
    mixed = [*IMAGES, b"no image"]
    embedding = _ask(model, "embedding", mixed)["embedding"]
    head = model.signatures[export.SCORES_OF_EMBEDDING]
    whole = _ask(model, "serving_default", mixed)
    for key, rows in head(embedding=embedding).items():
        np.testing.assert_allclose(rows, whole[key], atol=1e-6)
        assert head(embedding=embedding[:0])[key].shape == (0, len(LABELS))
