"""The newest images of one version, in a folder that holds other things as well."""

import datetime

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.errors import PostersError
from components.request_log import newest, records

LABELS = ("A", "B")


def _record(image, time=1_000, version=7, labels=LABELS, width=3):
    digest = records.digest(str(image).encode())
    embedding = np.full(width, float(image), "f")
    return records.encode(digest, embedding, np.array([0.25, 0.75], "f"), labels, version, time)


def _write(folder, minute, *rows):
    moment = datetime.datetime(2026, 11, 27, 12, minute).strftime("%Y%m%dT%H%M%S.%fZ")
    path = folder / f"requests-{moment}-1.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in rows:
            writer.write(row)
    return path


def _images(found):
    return found.asked.embeddings[:, 0].astype(int).tolist()


def test_every_image_counts_once_and_the_newest_are_taken(tmp_path):
    _write(tmp_path, 1, *(_record(image, 100 + image) for image in range(5)))
    _write(tmp_path, 2, _record(1, 200), _record(1, 201), _record(9, 202))
    found = newest.read(str(tmp_path), 7, LABELS, 100)
    assert (found.logged, found.left_out) == (8, ())
    assert _images(found) == [0, 2, 3, 4, 1, 9]
    assert found.asked.times.tolist() == [100, 102, 103, 104, 201, 202]
    assert found.asked.labels == LABELS
    assert _images(newest.read(str(tmp_path), 7, LABELS, 3)) == [4, 1, 9]


def test_older_files_are_not_read_once_there_is_enough(tmp_path):
    _write(tmp_path, 1, _record(0)).write_bytes(b"damaged")
    _write(tmp_path, 2, *(_record(image) for image in range(4)))
    found = newest.read(str(tmp_path), 7, LABELS, 4)
    assert (found.logged, found.left_out) == (4, ())
    assert len(newest.read(str(tmp_path), 7, LABELS, 5).left_out) == 1


def test_other_versions_are_passed_by(tmp_path):
    _write(tmp_path, 1, _record(0, version=6, labels=("C",)), _record(1))
    assert _images(newest.read(str(tmp_path), 7, LABELS, 9)) == [1]
    assert newest.read(str(tmp_path), 8, LABELS, 9) == newest.Newest(0, None, ())


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([b"no example"], "Error parsing message"),
        ([tf.train.Example().SerializeToString()], "a record lacks what a request has"),
        ([_record(1), _record(2, labels=("A", "C"))], "another model's labels or size"),
        ([_record(1), _record(2, width=4)], "another model's labels or size"),
        ([_record(1, time=1 << 60)], "no digest of an image, or no time"),
        ([_record(1, labels=("A",))], "not a score a label"),
    ],
)
def test_a_file_that_is_somebody_elses_is_left_out_whole(tmp_path, rows, words):
    other = _write(tmp_path, 2, _record(5), *rows)
    _write(tmp_path, 1, _record(0))
    found = newest.read(str(tmp_path), 7, LABELS, 9, width=3)
    assert _images(found) == [0]
    (left_out,) = found.left_out
    assert left_out.startswith(f"{other}: ")
    assert words in left_out


def test_what_is_no_example_is_named_by_who_reads_everything(tmp_path):
    path = _write(tmp_path, 1, b"no example")
    with pytest.raises(PostersError, match=f"{path.name} is no whole file of requests"):
        records.read(str(tmp_path))
    _write(tmp_path, 1, _record(1), _record(2, width=4))
    with pytest.raises(PostersError, match="version 7 stands there as two models"):
        records.read(str(tmp_path))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_was_done_to_a_file_the_others_are_read(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("log")
    _write(folder, 1, _record(0), _record(1))
    path = _write(folder, 2, _record(2), _record(3))
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    path.write_bytes(bytes(content) + data.draw(st.binary(max_size=40)))
    found = newest.read(str(folder), 7, LABELS, 9, width=3)
    assert {0, 1} <= set(_images(found))
    assert found.left_out or found.logged in (2, 3, 4)


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=300))
def test_a_record_of_any_bytes_fails_nothing(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("log")
    _write(folder, 1, _record(0))
    _write(folder, 2, content)
    found = newest.read(str(folder), 7, LABELS, 9, width=3)
    assert _images(found) == [0]
