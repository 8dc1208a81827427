"""What the docstrings of single cross-entropy losses claim."""

import numpy as np
import pytest
from scipy.special import expit, logit

from components.trainer.losses import asl, bce
from tests.loss_references import gradient

LOGITS = np.array([[-3.0, 0.2], [1.5, -0.7]], np.float32)
LABELS = np.array([[1, 0], [0, 1]], np.float32)


def test_the_gradient_of_bce_is_probability_less_label():
    expected = (expit(LOGITS) - LABELS) / LOGITS.size
    np.testing.assert_allclose(gradient(bce, LABELS, LOGITS), expected, rtol=1e-5)


@pytest.mark.parametrize("loss", [bce, asl])
def test_a_missed_positive_costs_its_logit_and_keeps_its_gradient(loss):
    assert loss([[1]], [[-1e4]]).numpy() == pytest.approx(1e4)
    assert gradient(loss, [[1]], np.array([[-1e4]], np.float32)) == pytest.approx(-1)


def test_bce_of_a_sure_false_alarm_keeps_its_gradient():
    assert bce([[0]], [[1e4]]).numpy() == pytest.approx(1e4)
    assert gradient(bce, [[0]], np.array([[1e4]], np.float32)) == pytest.approx(1)


def test_asl_of_a_sure_false_alarm_is_bounded_and_lets_go():
    assert asl([[0]], [[1e4]]).numpy() == pytest.approx(0.95**4 * -np.log(0.05), rel=1e-4)
    assert gradient(asl, [[0]], np.array([[1e4]], np.float32)) == 0


def test_asl_of_a_positive_is_bce():
    ones = np.ones_like(LOGITS)
    assert asl(ones, LOGITS).numpy() == pytest.approx(bce(ones, LOGITS).numpy(), rel=1e-5)


def test_very_easy_negatives_cost_nothing_in_asl():
    easy = logit(np.array([[0.01], [0.049]])).astype(np.float32)
    nothing = np.zeros_like(easy)
    assert asl(nothing, easy).numpy() == 0
    np.testing.assert_array_equal(gradient(asl, nothing, easy), 0)


def test_the_weight_in_asl_carries_gradient():
    p = np.array([[0.06, 0.3, 0.6, 0.9, 0.99]])
    q = p - 0.05
    expected = q**4 * (1 / (1 - q) - 4 * np.log(1 - q) / q) * p * (1 - p) / p.size
    found = gradient(asl, np.zeros_like(p), logit(p).astype(np.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_negatives_pull_the_most_in_asl_near_the_probability_in_the_docstring():
    p = np.linspace(0.01, 0.999, 990)[None]
    found = gradient(asl, np.zeros_like(p), logit(p).astype(np.float32))
    assert p[0, np.argmax(found)] == pytest.approx(0.9, abs=0.05)
