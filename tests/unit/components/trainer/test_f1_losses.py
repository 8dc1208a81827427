"""What the docstrings of single soft F1 losses claim."""

import numpy as np
import pytest
from scipy.special import expit, logit

from components.trainer.losses import double_soft_f1, macro_soft_f1, sigmoid_f1, soft_f1
from tests.loss_references import gradient

LABELS = np.array([[1], [1], [0]], np.float32)
PROBABILITIES = np.array([[0.9], [0.3], [0.5]])
LOGITS = logit(PROBABILITIES).astype(np.float32)
ABSENT = np.zeros((4, 1), np.float32)


def _by_probability(loss, labels=LABELS, logits=LOGITS):
    """(N,) gradient with respect to p: that of logits without the sigmoid's own slope."""
    return (gradient(loss, labels, logits) / (expit(logits) * expit(-logits)))[:, 0]


@pytest.mark.parametrize(("loss", "epsilon"), [(macro_soft_f1, 0), (soft_f1, 1)])
def test_the_gradient_has_the_two_values_that_the_docstring_gives(loss, epsilon):
    total = 1.7 + 2 + epsilon
    f1 = (2 * 1.2 + epsilon) / total
    expected = [-(2 - f1) / total, -(2 - f1) / total, f1 / total]
    np.testing.assert_allclose(_by_probability(loss), expected, rtol=1e-5)


def test_the_gradient_of_double_soft_f1_is_the_one_that_its_docstring_gives():
    total, total0 = 1.7 + 2, 1.3 + 1
    f1, f10 = 2 * 1.2 / total, 2 * 0.5 / total0
    positive = -((2 - f1) / total + f10 / total0) / 2
    negative = (f1 / total + (2 - f10) / total0) / 2
    expected = [positive, positive, negative]
    np.testing.assert_allclose(_by_probability(double_soft_f1), expected, rtol=1e-5)


def test_an_absent_label_costs_one_and_teaches_nothing_as_published():
    assert macro_soft_f1(ABSENT, ABSENT - 30).numpy() == 1
    np.testing.assert_array_equal(gradient(macro_soft_f1, ABSENT, ABSENT), 0)


def test_an_absent_label_is_pushed_down_by_soft_f1():
    assert soft_f1(ABSENT, ABSENT - 30).numpy() == pytest.approx(0, abs=1e-6)
    assert soft_f1(ABSENT, ABSENT).numpy() == pytest.approx(2 / 3)
    np.testing.assert_allclose(_by_probability(soft_f1, ABSENT, ABSENT), 1 / 9, rtol=1e-5)


def test_an_absent_label_is_pushed_down_by_double_soft_f1():
    assert double_soft_f1(ABSENT, ABSENT - 30).numpy() == pytest.approx(0.5)
    assert double_soft_f1(ABSENT, ABSENT + 30).numpy() == pytest.approx(1)
    assert (gradient(double_soft_f1, ABSENT, ABSENT) > 0).all()


def test_a_label_that_all_have_costs_nothing_when_given_to_all():
    all_have = ABSENT + 1
    assert macro_soft_f1(all_have, ABSENT + 30).numpy() == 0
    assert soft_f1(all_have, ABSENT + 30).numpy() == 0


def test_smoothing_matters_little_to_a_label_that_is_not_rare():
    generator = np.random.default_rng(3)
    labels = (generator.random((256, 1)) < 0.3).astype(np.float32)
    logits = generator.normal(size=(256, 1)).astype(np.float32)
    saved = (macro_soft_f1(labels, logits) - soft_f1(labels, logits)).numpy()
    assert 0 < saved <= 1 / (expit(logits).sum() + labels.sum() + 1)


def test_saturated_macro_soft_f1_teaches_nothing():
    np.testing.assert_array_equal(gradient(macro_soft_f1, LABELS, 200 * (2 * LABELS - 1)), 0)


def test_sigmoid_f1_is_felt_only_near_its_offset():
    # Six rows far from the offset hold F1 still while one row moves past it.
    labels = np.array([[1], [0]] * 3 + [[1]], np.float32)

    def steepness(logit_of_last):
        logits = np.array([[3.0], [-5.0]] * 3 + [[logit_of_last]], np.float32)
        return -gradient(sigmoid_f1, labels, logits)[-1, 0]

    assert steepness(-1.0) > 4000 * steepness(-2.0) > 0
    assert steepness(-1.0) > 4000 * steepness(0.0) > 0
