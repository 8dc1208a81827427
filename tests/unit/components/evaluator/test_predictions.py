import dataclasses

import numpy as np
import pytest

from components.errors import PostersError
from components.evaluator import predictions

GIVEN = predictions.Predictions(
    labels=("Drama", "Ciné-club"),
    ids=np.array(["tt1", "tt2", "tt3"]),
    truth=np.array([[True, False], [False, False], [True, True]]),
    scores=np.array([[0.9, 0.1], [np.nan, 0.2], [0.5, 1]], np.float32),
    probabilities=np.array([[0.8, 0.1], [0.1, 0.2], [0.5, 1]], np.float32),
)


def _assert_same(found, expected):
    for field in dataclasses.fields(expected):
        value = getattr(expected, field.name)
        if isinstance(value, np.ndarray):
            assert getattr(found, field.name).dtype == value.dtype
            np.testing.assert_array_equal(getattr(found, field.name), value)
        else:
            assert getattr(found, field.name) == value


def test_comes_back_as_it_was_written(tmp_path):
    predictions.write(str(tmp_path), GIVEN)
    _assert_same(predictions.read(str(tmp_path)), GIVEN)
    assert [path.name for path in tmp_path.iterdir()] == [predictions.FILE]
    assert GIVEN.common_labels is None


def test_comes_back_with_a_baseline_of_other_labels(tmp_path):
    baseline_scores = np.arange(9, dtype=np.float32).reshape(3, 3) / 9
    given = dataclasses.replace(
        GIVEN, baseline_labels=("War", "Ciné-club", "News"), baseline_scores=baseline_scores
    )
    predictions.write(str(tmp_path), given)
    found = predictions.read(str(tmp_path))
    _assert_same(found, given)
    assert found.common_labels == ("Ciné-club",)


def test_a_file_that_is_missing_or_cut_off_is_named(tmp_path):
    with pytest.raises(PostersError, match=r"predictions\.npz"):
        predictions.read(str(tmp_path))
    predictions.write(str(tmp_path), GIVEN)
    file = tmp_path / predictions.FILE
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(PostersError, match=r"predictions\.npz"):
        predictions.read(str(tmp_path))
