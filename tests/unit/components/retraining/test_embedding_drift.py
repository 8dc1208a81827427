import numpy as np
import pytest

from components.retraining import embedding_drift
from components.trainer import embedding_summary


def _features(count, seed, width=64, shift=0.0, scale=1.0):
    """Features with a few wide directions, as extractors give them; moved along one on demand."""
    generator = np.random.default_rng(seed)
    spread = 1 / np.arange(1, width + 1)
    drawn = generator.normal(size=(count, width)) * spread * scale
    drawn[:, 1] += shift * spread[1]
    return np.abs(drawn).astype(np.float32)


@pytest.fixture(scope="module")
def summary():
    return embedding_summary.summarize(_features(600, 1), _features(500, 2))


def test_more_of_the_same_is_no_drift(summary):
    distances = []
    for seed in range(10, 60):
        found = embedding_drift.measure(summary, _features(200, seed))
        assert not found.exceeds(0.1)
        distances.append(found.distance)
    assert (found.posters, found.reference, found.axes) == (200, 500, 33)
    assert max(distances) < 0.25


def test_few_posters_are_no_drift_whatever_they_look_like(summary):
    found = embedding_drift.measure(summary, _features(4, 3, shift=3))
    assert found.distance > 0.5
    assert not found.exceeds(0.25)


def test_posters_that_moved_are_one(summary):
    found = embedding_drift.measure(summary, _features(200, 3, shift=3))
    assert found.exceeds(0.25)
    assert not found.exceeds(found.distance)


def test_what_the_components_leave_out_counts_too(summary):
    strange = _features(200, 4)
    strange[:, 50:] += 0.3
    found = embedding_drift.measure(summary, strange)
    assert found.exceeds(0.25)
    assert found.axis == 32


def test_posters_that_could_not_be_decoded_are_left_out(summary):
    rows = _features(100, 5)
    rows[::2] = np.nan
    assert embedding_drift.measure(summary, rows).posters == 50
    assert embedding_drift.measure(summary, np.full((3, 64), np.nan)) is None
    assert embedding_drift.measure(summary, np.zeros((0, 64))) is None


def test_a_summary_is_read_as_it_was_written(summary, tmp_path):
    embedding_summary.write(summary, str(tmp_path))
    found = embedding_summary.read(str(tmp_path))
    np.testing.assert_array_equal(found.reference, summary.reference)
    assert found.components.shape == (32, 64)
    file = tmp_path / embedding_summary.FILE
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"embeddings\.npz is damaged"):
        embedding_summary.read(str(tmp_path))
    with pytest.raises(ValueError, match="there is no"):
        embedding_summary.read(str(tmp_path / "none"))


def test_features_that_never_vary_have_no_axes():
    same = embedding_summary.summarize(np.ones((5, 3)), np.ones((4, 3)))
    assert same.components.shape == (0, 3)
    assert embedding_drift.measure(same, np.ones((9, 3))).distance == 0
    one = embedding_summary.summarize(np.ones((1, 3)), np.zeros((4, 3)))
    assert one.reference.shape == (4, 1)
