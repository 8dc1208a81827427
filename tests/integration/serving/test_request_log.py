"""What a real server keeps of its requests, and what can be read from it."""

import time

import numpy as np
import pytest
import requests
import tensorflow as tf

from components.errors import PostersError
from components.request_log import records, summary
from components.trainer import neighbours
from tests.examples import encode, example, picture
from tests.serving import LABELS
from tests.serving_process import ServerProcess

IMAGES = [encode(picture(seed, 30 + seed % 9, 50)) for seed in range(40)]


@pytest.fixture(scope="module")
def logged(model_folder, tmp_path_factory):
    """The folder that a server left which kept everything, in files of eight."""
    folder = tmp_path_factory.mktemp("log") / "requests"
    with ServerProcess(
        model_folder.parent, f"log={{folder: {folder}, share: 1, file_images: 8}}"
    ) as server:
        for start in range(0, 32, 4):
            assert server.predict(*IMAGES[start : start + 4]).status_code == 200
        assert server.predict(IMAGES[32], b"no image").status_code == 200
        serialized = [example("tt", image, ["Drama"]) for image in IMAGES[33:36]]
        server.predict(*serialized, signature_name="serving_examples")
        # Whoever asks for these says nothing about posters in use.
        server.predict(*IMAGES[36:], signature_name="embedding")
        for _ in range(100):
            counted = requests.get(f"{server.url}/metrics", timeout=60).text
            if 'posters_logged_images_total{outcome="kept"} 32.0' in counted:
                break
            time.sleep(0.1)
    return folder


def test_all_files_are_whole_and_the_last_is_written_when_the_server_ends(logged):
    names = sorted(path.name for path in logged.iterdir())
    assert len(names) == 5
    assert all(name.startswith("requests-2") and name.endswith(".tfrecord") for name in names)
    sizes = [
        sum(1 for _ in tf.data.TFRecordDataset(str(path))) for path in sorted(logged.iterdir())
    ]
    assert sizes == [8, 8, 8, 8, 4]


def test_what_is_read_is_what_the_model_says(logged, model_folder):
    (found,) = records.read(str(logged)).items()
    version, asked = found
    assert version == 100
    assert asked.labels == LABELS
    assert len(asked) == 36
    model = tf.saved_model.load(str(model_folder))
    images = tf.constant(IMAGES[:36])
    places = {records.digest(image): row for row, image in enumerate(IMAGES)}
    order = [places[bytes(digest)] for digest in asked.digests]
    assert sorted(order) == list(range(36))
    scores = model.signatures["serving_default"](image_bytes=images)["scores"].numpy()
    embeddings = model.signatures["embedding"](image_bytes=images)["embedding"].numpy()
    np.testing.assert_allclose(asked.scores, scores[order], atol=1e-5)
    np.testing.assert_allclose(asked.embeddings, embeddings[order], atol=1e-5)
    assert abs(asked.times - time.time()).max() < 600


def test_its_summary_can_be_held_against_the_training_data(logged, model_folder):
    asked = records.read(str(logged))[100]
    kept = neighbours.read(model_folder, LABELS)
    training = summary.of_training(kept.embeddings, kept.truth, LABELS)
    now = summary.of_requests(asked)
    assert (now.images, now.distinct_images) == (36, 36)
    assert now.given == pytest.approx(
        dict(zip(LABELS, (asked.scores > 0.5).mean(axis=0), strict=True))
    )
    drift = summary.compare(training, now)
    assert drift.given["Drama"] == pytest.approx((3 / 9, now.given["Drama"]))
    assert drift.expected_shift == pytest.approx(np.sqrt(1 / 9 + 1 / 36))


def test_a_damaged_file_is_named(logged, tmp_path):
    whole = sorted(logged.iterdir())[0].read_bytes()
    (tmp_path / "requests-1.tfrecord").write_bytes(whole[:-5])
    with pytest.raises(PostersError, match=r"requests-1\.tfrecord is no whole file of requests"):
        records.read(str(tmp_path))
    assert records.read(str(tmp_path / "nowhere")) == {}
