"""The comparison of a TensorFlow Lite model: figures by hand, and what must never look near."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from components.tflite import parity


def test_figures_are_those_of_scikit_learn():
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, (50, 3))
    scores = generator.random((50, 3)).astype("f")
    lite = np.clip(scores + generator.normal(0, 0.05, (50, 3)), 0, 1).astype("f")
    found = parity.compare(("A", "B", "C"), truth, scores, lite)
    assert found.examples == 50
    assert found.macro_f1 == pytest.approx(f1_score(truth, scores > 0.5, average="macro"))
    assert found.lite_macro_f1 == pytest.approx(f1_score(truth, lite > 0.5, average="macro"))
    assert found.drop == pytest.approx(found.macro_f1 - found.lite_macro_f1)
    assert found.largest_difference == pytest.approx(np.abs(scores - lite).max())
    assert found.same_decisions == np.mean((scores > 0.5) == (lite > 0.5))
    assert found.by_label["B"][1] == pytest.approx(f1_score(truth[:, 1], lite[:, 1] > 0.5))


def test_a_score_that_is_no_number_is_far_from_any():
    scores = np.full((4, 1), 0.9, "f")
    lite = scores.copy()
    lite[2] = np.nan
    found = parity.compare(("A",), np.ones((4, 1)), scores, lite)
    assert np.isnan(found.largest_difference)
    assert not found.within_bound


@pytest.mark.parametrize(("apart", "within"), [(0.0099, True), (0.0101, False)])
def test_one_score_that_is_too_far_off_breaks_the_bound(apart, within):
    scores = np.full((4, 2), 0.4)
    lite = scores.copy()
    lite[3, 1] += apart
    found = parity.compare(("A", "B"), np.ones((4, 2)), scores, lite)
    assert found.within_bound == within
