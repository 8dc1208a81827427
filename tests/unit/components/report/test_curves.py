import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from components.report.curves import curves


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9])), min_size=2))
def test_equal_scikit_learns_at_every_distinct_score(rows):
    truth = np.array([has for has, _ in rows])
    scores = np.array([score for _, score in rows], np.float32)
    found = curves(truth, scores)
    if truth.all() or not truth.any():
        assert found is None
        return
    precision, recall, thresholds = sklearn_metrics.precision_recall_curve(truth, scores)
    # Ours fall, and leave out the point that scikit-learn adds where nothing is given.
    np.testing.assert_allclose(found.thresholds, thresholds[::-1])
    np.testing.assert_allclose(found.precision, precision[-2::-1])
    np.testing.assert_allclose(found.recall, recall[-2::-1])
    for threshold, f1 in zip(found.thresholds, found.f1, strict=True):
        assert f1 == pytest.approx(sklearn_metrics.f1_score(truth, scores >= threshold))


def test_the_lowest_threshold_is_yes_to_everything():
    found = curves(np.array([True, False, False, True]), np.array([0.9, 0.8, 0.3, 0.1]))
    assert found.f1[-1] == pytest.approx(found.all_positive_f1) == pytest.approx(2 / 3)
    assert found.thresholds[found.best] == 0.9 or found.f1[found.best] >= 2 / 3


def test_of_equally_good_thresholds_the_highest_is_the_best():
    found = curves(np.array([True, False, True, True]), np.array([0.9, 0.8, 0.7, 0.6]))
    assert found.f1.tolist() == pytest.approx([0.5, 0.4, 2 / 3, 6 / 7])
    assert found.best == 3


def test_a_score_that_is_no_number_gives_no_curve():
    assert curves(np.array([True, False]), np.array([np.nan, 0.5])) is None


def test_thinned_curves_keep_the_ends_and_the_best():
    generator = np.random.default_rng(0)
    truth = generator.random(2000) < 0.3
    found = curves(truth, 0.3 * truth + generator.random(2000))
    thin = found.thinned(100)
    assert len(thin.thresholds) <= 100
    assert thin.f1.max() == found.f1.max()
    for name in ("thresholds", "precision", "recall"):
        long, short = getattr(found, name), getattr(thin, name)
        assert (short[0], short[-1]) == (long[0], long[-1])
    assert found.thinned(5000) is found


def test_labels_shuffled_against_scores_fall_to_the_all_positive_value():
    generator = np.random.default_rng(1)
    truth = generator.random(4000) < 0.3
    scores = np.clip(0.4 * truth + generator.random(4000), 0, 1)
    known = curves(truth, scores)
    assert known.f1[known.best] > known.all_positive_f1 + 0.1
    shuffled = curves(generator.permutation(truth), scores)
    assert shuffled.f1[shuffled.best] == pytest.approx(shuffled.all_positive_f1, abs=0.01)
