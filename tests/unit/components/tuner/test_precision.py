import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from components.tuner import precision


def _split(rows, labels, seed, decimals=1):
    generator = np.random.default_rng(seed)
    truth = (generator.random((rows, labels)) < 0.3).astype(np.float32)
    truth[0] = 1
    # Rounded, so that some scores are equal.
    return truth, (truth + generator.normal(size=truth.shape)).round(decimals)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(1, 4), st.integers(0, 1000), st.integers(0, 3))
def test_equals_scikit_learn_with_ties(rows, labels, seed, decimals):
    truth, scores = _split(rows, labels, seed, decimals)
    expected = average_precision_score(truth, scores, average="macro")
    assert precision.macro_average_precision(truth, scores) == pytest.approx(expected)


def test_a_resample_is_as_if_its_rows_were_repeated():
    truth, scores = _split(80, 3, seed=1)
    draws = precision.bootstrap(80, 20, seed=2)
    np.testing.assert_array_equal(draws.sum(axis=1), 80)
    for drawn, found in zip(draws, precision.resampled(truth, scores, draws), strict=True):
        rows = np.repeat(np.arange(80), drawn.astype(int))
        expected = average_precision_score(truth[rows], scores[rows], average="macro")
        assert found == pytest.approx(expected)


def test_resamples_scored_in_blocks_are_the_same(monkeypatch):
    truth, scores = _split(80, 3, seed=1)
    draws = precision.bootstrap(80, 20, seed=2)
    whole = precision.resampled(truth, scores, draws)
    monkeypatch.setattr(precision, "_WEIGHTS_AT_ONCE", 80 * 3)
    np.testing.assert_array_equal(precision.resampled(truth, scores, draws), whole)


def test_absent_labels_are_left_out():
    truth, scores = _split(30, 2, seed=3)
    with_absent = np.column_stack([truth, np.zeros(30)]), np.column_stack([scores, scores[:, 0]])
    expected = precision.macro_average_precision(truth, scores)
    assert precision.macro_average_precision(*with_absent) == pytest.approx(expected)
    assert np.isnan(precision.macro_average_precision(np.zeros((4, 2)), np.ones((4, 2))))


def test_the_bootstrap_knows_its_seed():
    np.testing.assert_array_equal(precision.bootstrap(9, 5, 1), precision.bootstrap(9, 5, 1))
    assert (precision.bootstrap(9, 5, 1) != precision.bootstrap(9, 5, 2)).any()


def _gains(true_gains, spread=0.01, seed=0, resamples=500):
    """Gains as a split shows them, and as its resamples do, around what they are in truth."""
    generator = np.random.default_rng(seed)
    shown = generator.normal(true_gains, spread)
    return shown, generator.normal(shown[:, None], spread, (len(shown), resamples))


def test_the_best_of_many_that_gain_nothing_is_rarely_believed():
    believed = [
        precision.confidence(*_gains(np.zeros(40), seed=seed), rows=1000) >= 0.95
        for seed in range(100)
    ]
    assert np.mean(believed) < 0.12


def test_a_gain_of_many_spreads_is_believed_among_many_bad_ones():
    true_gains = np.full(40, -0.2)
    true_gains[7] = 0.04
    assert precision.confidence(*_gains(true_gains), rows=1000) > 0.99


def test_without_a_gain_there_is_no_confidence():
    assert precision.confidence(*_gains(np.full(5, -0.1)), rows=1000) == 0


def test_a_candidate_equal_to_the_given_is_no_gain():
    assert precision.confidence(np.zeros(1), np.zeros((1, 50)), rows=100) == 0
