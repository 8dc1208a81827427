import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from components.evaluator import ranking


@st.composite
def columns(draw):
    """Truth and scores of one label; many scores are equal."""
    count = draw(st.integers(1, 60))
    truth = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    scores = draw(st.lists(st.integers(0, 9), min_size=count, max_size=count))
    return np.array(truth), np.array(scores, np.float32) / 9


@settings(max_examples=300, deadline=None)
@given(columns())
def test_equals_scikit_learn(column):
    truth, scores = column
    if truth.any() and not truth.all():
        expected = sklearn_metrics.roc_auc_score(truth, scores)
        assert ranking.auc(truth, scores) == pytest.approx(expected, abs=1e-9)
    else:
        assert np.isnan(ranking.auc(truth, scores))
    if truth.any():
        expected = sklearn_metrics.average_precision_score(truth, scores)
        assert ranking.average_precision(truth, scores) == pytest.approx(expected, abs=1e-9)
    else:
        assert np.isnan(ranking.average_precision(truth, scores))


@settings(max_examples=100, deadline=None)
@given(columns())
def test_the_best_f1_is_that_of_the_best_threshold(column):
    truth, scores = column
    if not truth.any():
        assert np.isnan(ranking.best_f1(truth, scores))
        return
    cuts = [scores >= threshold for threshold in set(scores)]
    tried = [2 * (truth & chosen).sum() / (truth.sum() + chosen.sum()) for chosen in cuts]
    assert ranking.best_f1(truth, scores) == pytest.approx(max(tried), abs=1e-9)


def test_equal_scores_rank_nothing():
    truth = np.array([True, False, False, True, False])
    assert ranking.auc(truth, np.full(5, 0.3)) == 0.5
    assert ranking.average_precision(truth, np.full(5, 0.3)) == pytest.approx(0.4)
    assert ranking.best_f1(truth, np.full(5, 0.3)) == pytest.approx(4 / 7)
