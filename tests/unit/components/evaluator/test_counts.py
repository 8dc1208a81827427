import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics as sklearn_metrics

from components.evaluator.counts import count

_SCORES = st.one_of(
    st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1, width=32, allow_subnormal=False)
)


@st.composite
def evaluations(draw):
    # scikit-learn takes one column for a binary problem, so there are at least two.
    shape = draw(st.tuples(st.integers(1, 40), st.integers(2, 6)))
    labels = draw(hnp.arrays(np.float32, shape, elements=st.sampled_from([0.0, 1.0])))
    return labels, draw(hnp.arrays(np.float32, shape, elements=_SCORES))


@settings(max_examples=300, deadline=None)
@given(evaluations())
def test_equals_scikit_learn(evaluation):
    labels, scores = evaluation
    found = count(labels, scores)
    given_labels = scores > 0.5
    precision, recall, f1, support = sklearn_metrics.precision_recall_fscore_support(
        labels, given_labels, average=None, zero_division=0
    )
    np.testing.assert_allclose(found.precision, precision, atol=1e-6)
    np.testing.assert_allclose(found.recall, recall, atol=1e-6)
    np.testing.assert_allclose(found.f1, f1, atol=1e-6)
    np.testing.assert_array_equal(found.support, support)
    micro = sklearn_metrics.f1_score(labels, given_labels, average="micro", zero_division=0)
    assert found.pooled.f1 == pytest.approx(micro, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(evaluations(), st.randoms(use_true_random=False))
def test_order_does_not_matter(evaluation, random):
    labels, scores = evaluation
    order = list(range(len(labels)))
    random.shuffle(order)
    before, after = count(labels, scores), count(labels[order], scores[order])
    np.testing.assert_array_equal(before.f1, after.f1)


def test_a_score_of_exactly_a_half_is_no():
    found = count(np.array([[1], [0]]), np.array([[0.5], [0.5]]))
    assert found.predicted[0] == 0


def test_a_label_never_seen_and_never_given_counts_zero_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = count(np.zeros((4, 1)), np.zeros((4, 1)))
        assert (found.f1[0], found.precision[0], found.recall[0]) == (0, 0, 0)
