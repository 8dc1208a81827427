"""Pictures are drawn once for an image, whatever else of it a later run has anew."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from components.trainer import pictures
from components.trainer.feature_store import DIGEST
from tests.examples import encode, picture

WORDS = ("image", 224, "squeezed")


class _Stored:
    """Images by digest, and which of them were asked for."""

    def __init__(self, digests):
        self.digests, self.asked = digests, []

    def __call__(self, places):
        names = self.digests[places].tolist()
        self.asked += names
        return [encode(picture(int(name[:2]), 200, 200)) for name in names]


def _digests(*numbers):
    return np.array([b"%02d-and-14-more" % number for number in numbers], DIGEST)


def _of(folder, digests, words=WORDS):
    stored = _Stored(digests)
    return pictures.of(digests, folder, words, stored), stored.asked


def test_what_was_drawn_is_not_drawn_again(tmp_path):
    first, asked = _of(tmp_path, _digests(1, 2, 3))
    assert asked == _digests(1, 2, 3).tolist()
    assert [Image.open(io.BytesIO(one)).size for one in first] == [(96, 96)] * 3
    again, asked = _of(tmp_path, _digests(3, 1, 2))
    assert asked == []
    assert again == [first[2], first[0], first[1]]


def test_one_more_image_has_one_more_drawn_and_one_less_is_forgotten(tmp_path):
    _of(tmp_path, _digests(1, 2, 3))
    _, asked = _of(tmp_path, _digests(2, 3, 4))
    assert asked == _digests(4).tolist()
    _, asked = _of(tmp_path, _digests(1, 2, 3, 4))
    assert asked == _digests(1).tolist()


def test_other_words_have_other_pictures(tmp_path):
    _of(tmp_path, _digests(1, 2))
    _, asked = _of(tmp_path, _digests(1, 2), (*WORDS[:2], "centre"))
    assert asked == _digests(1, 2).tolist()


def test_a_damaged_file_has_all_drawn_again(tmp_path):
    first, _ = _of(tmp_path, _digests(1, 2))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    again, asked = _of(tmp_path, _digests(1, 2))
    assert asked == _digests(1, 2).tolist()
    assert again == first


@given(keys=st.lists(st.binary(min_size=16, max_size=16), unique=True, min_size=1, max_size=8))
def test_any_digest_is_found_again(tmp_path_factory, keys):
    folder = tmp_path_factory.mktemp("pictures")
    digests = np.array(keys, DIGEST)
    stored = encode(picture(1, 20, 20))
    pictures.of(digests, folder, WORDS, lambda places: [stored] * len(places))
    pictures.of(digests, folder, WORDS, lambda places: 1 / 0)
