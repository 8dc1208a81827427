import json
import re

import numpy as np
import pytest
import tensorflow as tf

from components.trainer import export, head_weights, warm_start
from components.trainer.head import Head
from components.trainer.settings import HeadSettings

WIDTH = 5
COMMON = {"extractor_fingerprint": "abc", "image_size": 96, "views": ["squished"]}
LABELS = ["Drama", "Comedy", "Horror"]


def _head(labels=LABELS, hidden=(4,), members=1, seed=0):
    generator = np.random.default_rng(seed)
    return Head(
        mean=generator.normal(size=WIDTH),
        deviation=generator.uniform(1, 2, WIDTH),
        bias=generator.normal(size=len(labels)),
        settings=HeadSettings(hidden_units=hidden, members=members),
        seed=seed,
    )


def _logits(head):
    inputs = np.random.default_rng(9).normal(size=(6, WIDTH)).astype(np.float32)
    return head(tf.constant(inputs)).numpy()


@pytest.fixture
def past(tmp_path):
    """Writes what an exported model has to say about its head."""

    def write(head=None, labels=LABELS, **description):
        folder = str(tmp_path / "past")
        head_weights.write(head or _head(labels), folder)
        content = {**COMMON, "labels": labels, "trainer": {"fine_tune": None}, **description}
        with tf.io.gfile.GFile(f"{folder}/{export.DESCRIPTION_FILE}", "w") as file:
            file.write(json.dumps(content))
        return folder

    return write


def test_weights_come_back_as_they_were(past):
    head = _head(members=2)
    arrays = head_weights.read(past(head))
    named = head_weights.name_variables(head)
    assert arrays.keys() == named.keys()
    assert len(arrays) == 2 + 2 * 4
    for name, variable in named.items():
        np.testing.assert_array_equal(arrays[name], variable.numpy())


@pytest.mark.parametrize(("hidden", "members"), [((), 1), ((4,), 1), ((4, 3), 2)])
def test_the_same_labels_give_the_same_head(past, hidden, members):
    before = _head(hidden=hidden, members=members)
    head = _head(hidden=hidden, members=members, seed=1)
    started = warm_start.start(head, LABELS, past(before), COMMON)
    assert started.kept == tuple(LABELS)
    assert started.reason is None
    np.testing.assert_array_equal(_logits(head), _logits(before))


@pytest.mark.parametrize("hidden", [(), (4,)])
@pytest.mark.parametrize(
    "labels",
    [
        ["Horror", "Drama", "Comedy"],
        ["Drama", "Action", "Comedy", "Horror", "Sci-Fi"],
        ["Horror", "Drama"],
        ["Western", "Comedy"],
    ],
    ids=["reordered", "grown", "shrunk", "mostly new"],
)
def test_labels_keep_by_name_what_was_learned(past, labels, hidden):
    before, head = _head(hidden=hidden), _head(labels, hidden, seed=1)
    anew = {name: value.numpy() for name, value in head_weights.name_variables(head).items()}
    source = past(before)
    started = warm_start.start(head, labels, source, COMMON)
    known = [label for label in labels if label in LABELS]
    assert started.source == source
    assert started.kept == tuple(known)
    after, earlier = _logits(head), _logits(before)
    for label in known:
        np.testing.assert_allclose(
            after[:, labels.index(label)], earlier[:, LABELS.index(label)], rtol=1e-5
        )
    last = f"network_0/bias_{len(hidden)}"
    for place in (place for place, label in enumerate(labels) if label not in LABELS):
        assert head_weights.name_variables(head)[last].numpy()[place] == anew[last][place]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("extractor_fingerprint", "other", "extractor_fingerprint was other, and is abc"),
        ("image_size", 224, "image_size was 224, and is 96"),
        ("views", ["squished", "top"], "views was"),
        ("trainer", {"fine_tune": {"epochs": 3}}, "fine-tuned"),
    ],
)
def test_another_input_is_refused_and_the_head_left_alone(past, key, value, words):
    head = _head(seed=1)
    before = _logits(head)
    started = warm_start.start(head, LABELS, past(**{key: value}), COMMON)
    assert started.source is None
    assert words in started.reason
    np.testing.assert_array_equal(_logits(head), before)


@pytest.mark.parametrize(
    ("hidden", "members", "words"),
    [
        ((8,), 1, r"kernel_0 was \[5, 8\], and is \[5, 4\]"),
        ((4, 4), 1, "layers or members"),
        ((4,), 2, "layers or members"),
    ],
)
def test_another_network_is_refused(past, hidden, members, words):
    source = past(_head(hidden=hidden, members=members))
    started = warm_start.start(_head(), LABELS, source, COMMON)
    assert started.source is None
    assert re.search(words, started.reason)


def test_no_model_yet():
    started = warm_start.start(_head(), LABELS, None, COMMON)
    assert started.description() == {
        "warm_started_from": None,
        "warm_started_labels": [],
        "warm_start_refused": "no model was ever blessed",
    }


def test_a_model_of_a_time_without_head_weights(past):
    source = past()
    tf.io.gfile.remove(f"{source}/{head_weights.FILE}")
    assert "there is no" in warm_start.start(_head(), LABELS, source, COMMON).reason


@pytest.mark.parametrize("keep", [0, 1, 100, -30])
def test_a_damaged_file_is_named(past, keep):
    source = past()
    with tf.io.gfile.GFile(f"{source}/{head_weights.FILE}", "rb") as file:
        content = file.read()
    with tf.io.gfile.GFile(f"{source}/{head_weights.FILE}", "wb") as file:
        file.write(content[:keep])
    reason = warm_start.start(_head(), LABELS, source, COMMON).reason
    assert "head.npz is damaged" in reason


def test_a_description_that_is_no_json_or_gone(past):
    source = past()
    with tf.io.gfile.GFile(f"{source}/{export.DESCRIPTION_FILE}", "w") as file:
        file.write("{")
    assert warm_start.start(_head(), LABELS, source, COMMON).source is None
    tf.io.gfile.remove(f"{source}/{export.DESCRIPTION_FILE}")
    assert warm_start.start(_head(), LABELS, source, COMMON).source is None


def test_weights_that_are_no_numbers_are_not_gone_on_from(past):
    broken = _head()
    broken.networks[0].kernels[0].assign(tf.fill((WIDTH, 4), np.nan))
    started = warm_start.start(_head(), LABELS, past(broken), COMMON)
    assert "network_0/kernel_0" in started.reason
