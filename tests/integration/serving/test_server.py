"""The real server in a process of its own: what it answers."""

import numpy as np
import pytest
import requests
import tensorflow as tf
from PIL import Image

from components.ingest.decode import as_stored
from tests.examples import FEATURES, encode, example, odd_images, picture
from tests.serving import BROKEN, LABELS
from tests.serving_process import b64

IMAGES = [encode(picture(seed, 30 + seed, 50)) for seed in range(6)]
PREDICT = "/v1/models/posters:predict"


@pytest.fixture(scope="module")
def wanted(model_folder):
    """What the model says of the images, asked in this process."""
    model = tf.saved_model.load(str(model_folder))
    return model.signatures["serving_default"](image_bytes=tf.constant(IMAGES))


def test_rows_are_the_models_own(server, wanted):
    rows = server.predict(*IMAGES).json()["predictions"]
    assert len(rows) == len(IMAGES)
    for key in ("scores", "probabilities"):
        np.testing.assert_allclose([row[key] for row in rows], wanted[key], atol=1e-5)
    assert all(row["genres"] == list(LABELS) and row["status"] == "" for row in rows)


def test_columns_versions_and_other_signatures_give_the_same(server, wanted):
    url = f"{server.url}/v1/models/posters/versions/100:predict"
    inputs = {"image_bytes": [b64(image) for image in IMAGES]}
    outputs = requests.post(url, json={"inputs": inputs}, timeout=60).json()["outputs"]
    np.testing.assert_allclose(outputs["scores"], wanted["scores"], atol=1e-5)
    records = [example("tt", image, ["Drama"]) for image in IMAGES]
    rows = server.predict(*records, signature_name="serving_examples").json()["predictions"]
    np.testing.assert_allclose([row["scores"] for row in rows], wanted["scores"], atol=1e-5)
    labels = server.predict(*records, signature_name="transform_labels").json()["predictions"]
    assert labels == [[1, 0, 0, 0]] * len(IMAGES)
    row = server.predict(*records, signature_name="transform_features").json()["predictions"][0]
    assert set(row) == {FEATURES.image_xf, FEATURES.labels_xf, FEATURES.id, "status"}


def test_every_kind_of_image_is_answered(server):
    for name, image in odd_images().items():
        assert server.predict(image).status_code == 200, name


def test_images_are_seen_as_ingest_would_have_stored_them(server, model_folder):
    poster = picture(3, 30, 50)
    turned, see_through = Image.Exif(), poster.convert("RGBA")
    turned[0x0112] = 6
    see_through.putalpha(Image.linear_gradient("L").resize(poster.size))
    odd = [
        encode(poster, exif=turned), encode(see_through, "PNG"), encode(poster, "WEBP"),
        encode(poster.convert("CMYK")),
    ]  # fmt: skip
    model = tf.saved_model.load(str(model_folder)).signatures["serving_default"]
    stored = model(image_bytes=tf.constant([as_stored(image) for image in odd]))
    as_they_are = model(image_bytes=tf.constant(odd))
    rows = server.predict(*odd).json()["predictions"]
    np.testing.assert_allclose([row["scores"] for row in rows], stored["scores"], atol=1e-5)
    assert not np.isclose(stored["scores"], as_they_are["scores"], atol=1e-5).all(axis=1).any()


def test_one_broken_image_spoils_no_other(server, wanted):
    rows = server.predict(IMAGES[0], b"no image", IMAGES[1]).json()["predictions"]
    assert rows[1]["scores"] == [None] * len(LABELS)
    assert rows[1]["status"] == "not a JPEG, PNG, GIF or BMP image (8 bytes)"
    np.testing.assert_allclose(rows[2]["scores"], wanted["scores"][1], atol=1e-5)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_request_without_any_image_says_why(server, kind):
    content, words = BROKEN[kind]
    answer = server.predict(content)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_status_metadata_health_and_metrics(server):
    status = requests.get(f"{server.url}/v1/models/posters", timeout=60).json()
    assert status["model_version_status"][0]["version"] == "100"
    assert status["model_version_status"][0]["state"] == "AVAILABLE"
    metadata = requests.get(f"{server.url}/v1/models/posters/metadata", timeout=60).json()
    assert metadata["model_spec"]["version"] == "100"
    signatures = metadata["metadata"]["signature_def"]["signature_def"]
    assert signatures["serving_default"]["inputs"]["image_bytes"]["dtype"] == "DT_STRING"
    assert signatures["serving_default"]["method_name"] == "tensorflow/serving/predict"
    assert requests.get(f"{server.url}/healthz", timeout=60).status_code == 200
    assert requests.get(f"{server.url}/readyz", timeout=60).json()["version"] == "100"
    server.predict(IMAGES[0])
    counted = requests.get(f"{server.url}/metrics", timeout=60).text
    assert "posters_model_version 100.0" in counted
    assert 'posters_requests_total{status="200"}' in counted
