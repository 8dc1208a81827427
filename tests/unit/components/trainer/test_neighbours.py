"""Training images beside a model: which are kept, and which are nearest."""

import io

import numpy as np
from PIL import Image

from components.trainer import neighbours, pictures
from tests.examples import encode, picture


def test_the_same_are_chosen_in_whatever_order_they_come():
    ids = np.array([b"%04d" % number for number in range(500)])
    chosen = set(ids[neighbours.choose(ids, 50)])
    assert len(chosen) == 50
    shuffled = np.random.default_rng(0).permutation(ids)
    assert set(shuffled[neighbours.choose(shuffled, 50)]) == chosen
    assert len(neighbours.choose(ids, 9999)) == 500
    # They are spread, and more of them hold the fewer.
    assert chosen < set(ids[neighbours.choose(ids, 200)])


def test_what_is_written_is_read_and_the_nearest_come_first(tmp_path):
    generator = np.random.default_rng(0)
    embeddings = generator.normal(size=(30, 16)) + 100
    ids = np.array([b"tt%d" % row for row in range(30)])
    labels = generator.integers(0, 2, (30, 3))
    drawn = [pictures.small(encode(picture(row, 200, 200))) for row in range(30)]
    neighbours.write(str(tmp_path), ids, labels, embeddings, drawn)
    found = neighbours.read(tmp_path, ("A", "B", "C"))
    nearest = found.nearest(embeddings[4], 5)
    assert [nearest[0].id, len(nearest)] == ["tt4", 5]
    assert nearest[0].similarity > 0.999
    similarities = [one.similarity for one in nearest]
    assert similarities == sorted(similarities, reverse=True)
    # What all have in common, here the 100, makes nothing alike.
    assert nearest[1].similarity < 0.9
    assert nearest[0].labels == tuple(np.array(["A", "B", "C"])[labels[4] == 1])
    for one in nearest:
        assert Image.open(io.BytesIO(one.picture)).size == (96, 96)
    assert len({one.picture for one in nearest}) == 5


def test_there_need_be_none(tmp_path):
    assert neighbours.read(tmp_path, ("A",)) is None
