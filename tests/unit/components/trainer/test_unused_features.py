import hashlib

import numpy as np
import pytest

from components.trainer import kept_arrays, unused_features
from components.trainer.feature_store import DIGEST, FeatureStore, PartWriter

WIDTH = 3


def _digest(name):
    return hashlib.blake2b(name.encode(), digest_size=16).digest()


@pytest.fixture
def folder(tmp_path):
    """Two stores with the same images, in two parts each: three posters and a stray image."""
    for store in ("plain", "mirrored"):
        (tmp_path / store).mkdir()
        writer = PartWriter(tmp_path / store)
        for names in (["a", "b"], ["c", "stray"]):
            digests = np.array([_digest(name) for name in names], DIGEST)
            writer.add(digests, np.full((2, WIDTH), ord(names[0]), np.float32))
            writer.publish()
    for split, names in (("train", ["a", "b"]), ("eval", ["c"])):
        listed = {
            "ids": np.array([f"tt-{name}".encode() for name in names]),
            "labels": np.zeros((len(names), 2)),
            "digests": np.array([[_digest(name)] for name in names], DIGEST),
        }
        kept_arrays.save(tmp_path / kept_arrays.LISTINGS / split, listed)
    return tmp_path


def _held(folder, store="plain"):
    found = FeatureStore(folder / store, WIDTH)
    names = np.array([_digest(name) for name in ("a", "b", "c", "stray")], DIGEST)
    return "".join(name[0] for name, held in zip("abcs", found.holds(names), strict=True) if held)


def _remove(folder, *ids):
    found = unused_features.find(folder, {identifier.encode() for identifier in ids})
    before = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    unused_features.remove(folder, found)
    after = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert before - after == found.byte_count
    return found


def test_with_every_poster_in_a_span_nothing_is_unused(folder):
    found = _remove(folder, "tt-a", "tt-b", "tt-c")
    assert (found.rows, found.byte_count, found.listings) == (0, 0, ())
    assert _held(folder) == "abcs"


def test_a_poster_in_no_span_goes_from_every_store_and_the_others_keep_their_rows(folder):
    assert _remove(folder, "tt-a", "tt-c").rows == 2
    for store in ("plain", "mirrored"):
        assert _held(folder, store) == "acs"
    rows = FeatureStore(folder / "plain", WIDTH).read(np.array([_digest("a")], DIGEST))
    np.testing.assert_array_equal(rows, [[ord("a")] * WIDTH])
    assert _remove(folder, "tt-a", "tt-c").rows == 0


def test_of_an_image_in_no_listing_nothing_is_known_so_it_stays(folder):
    found = _remove(folder, "tt-a", "tt-b")
    assert [path.name for path in found.listings] == ["eval"]
    assert not found.listings[0].exists()
    assert _held(folder) == "abs"


def test_an_image_that_another_poster_has_too_stays(folder):
    listed = {
        "ids": np.array([b"tt-other"]),
        "labels": np.zeros((1, 2)),
        "digests": np.array([[_digest("b")]], DIGEST),
    }
    kept_arrays.save(folder / kept_arrays.LISTINGS / "other", listed)
    assert _remove(folder, "tt-a", "tt-c", "tt-other").rows == 0


def test_cut_off_half_way_the_rest_is_found_again(folder, monkeypatch):
    found = unused_features.find(folder, {b"tt-a", b"tt-b"})

    def cut_off(part):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(unused_features, "remove_part", cut_off)
        with pytest.raises(Exception, match="No space left"):
            unused_features.remove(folder, found)
    assert _held(folder) == "abcs"
    again = unused_features.find(folder, {b"tt-a", b"tt-b"})
    unused_features.remove(folder, again)
    for store in ("plain", "mirrored"):
        assert _held(folder, store) == "abs"
