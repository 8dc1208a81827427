import numpy as np
import pytest
from scipy.special import expit, logit

from components.trainer import calibration
from components.trainer.settings import DecisionSettings


def _split(count=4000, labels=3, seed=0):
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(count, labels)) * 2
    truth = generator.random((count, labels)) < expit(0.7 * logits - 1.5)
    return logits, truth.astype(np.float32)


def test_platt_finds_the_map_that_made_the_labels():
    logits, truth = _split(count=40_000, labels=1)
    slope, intercept = calibration.platt(logits[:, 0], truth[:, 0])
    assert slope == pytest.approx(0.7, abs=0.03)
    assert intercept == pytest.approx(-1.5, abs=0.05)


def test_platt_does_not_care_how_saturated_the_logits_are():
    logits, truth = _split()
    small = calibration.platt(logits[:, 0], truth[:, 0])
    large = calibration.platt(1000 * logits[:, 0], truth[:, 0])
    assert 1000 * large[0] == pytest.approx(small[0], rel=1e-3)
    assert large[1] == pytest.approx(small[1], abs=1e-3)


def test_platt_never_turns_the_order_around():
    logits, truth = _split()
    slope, _ = calibration.platt(-logits[:, 0], truth[:, 0])
    assert slope == 0


@pytest.mark.parametrize("thresholds", ["plug_in", "grid", "half"])
@pytest.mark.parametrize("noise", [0.0, 1e-7])
def test_logits_that_do_not_vary_are_decided_alike_where_they_are_served(thresholds, noise):
    constants = np.linspace(-1000, 1000, 200)
    noises = noise * np.random.default_rng(0).normal(size=(100, len(constants)))
    logits = (constants * (1 + noises)).astype(np.float32)
    truth = np.zeros(logits.shape, np.float32)
    truth[:20] = 1
    fitted = calibration.fit(logits, truth, DecisionSettings(thresholds=thresholds))
    # The exported model calculates in single precision.
    slope, intercept = fitted.slope.astype(np.float32), fitted.score_intercept.astype(np.float32)
    served = expit(logits * slope + intercept)
    np.testing.assert_allclose(served, fitted.scores(logits), atol=1e-6)
    np.testing.assert_array_equal(served > 0.5, fitted.scores(logits) > 0.5)
    np.testing.assert_allclose(fitted.probabilities(logits), 0.2, atol=0.02)


def test_probabilities_are_calibrated_on_held_out_data():
    fitted = calibration.fit(*_split(seed=1))
    logits, truth = _split(count=20_000, seed=2)
    np.testing.assert_allclose(
        fitted.probabilities(logits).mean(axis=0), truth.mean(axis=0), atol=0.02
    )


def test_a_score_above_a_half_is_a_probability_above_the_threshold():
    logits, truth = _split()
    fitted = calibration.fit(logits, truth)
    decided_by_score = fitted.scores(logits) > 0.5
    decided_by_probability = fitted.probabilities(logits) > fitted.threshold
    np.testing.assert_array_equal(decided_by_score, decided_by_probability)


def test_plug_in_threshold_is_half_the_best_expected_f1():
    probabilities = np.random.default_rng(3).beta(1, 4, size=5000)
    threshold = calibration.plug_in_threshold(probabilities)

    def expected_f1(t):
        chosen = probabilities > t
        return 2 * probabilities[chosen].sum() / (chosen.sum() + probabilities.sum())

    best = max(expected_f1(t) for t in np.linspace(0, 0.99, 400))
    assert threshold == pytest.approx(best / 2, abs=1e-3)
    assert expected_f1(threshold) == pytest.approx(best, abs=1e-3)


@pytest.mark.parametrize("present", [0, 1])
def test_a_label_that_none_or_all_have_stays_finite(present):
    logits, truth = _split(count=50)
    truth[:, 1] = present
    fitted = calibration.fit(logits, truth)
    for values in (fitted.slope, fitted.intercept, fitted.threshold, fitted.scores(logits)):
        assert np.isfinite(values).all()
    if not present:
        assert fitted.threshold[1] == calibration.SAFE_THRESHOLD
        assert not (fitted.scores(logits)[:, 1] > 0.5).any()


def test_score_intercept_moves_the_decision_point():
    fitted = calibration.Calibration(np.ones(1), np.zeros(1), np.array([0.2]))
    assert fitted.scores(np.array([[logit(0.2)]]))[0, 0] == pytest.approx(0.5)


def test_grid_threshold_separates_what_can_be_separated():
    probabilities = np.array([0.9, 0.8, 0.3, 0.2])
    assert calibration.grid_threshold(probabilities, np.array([1, 1, 0, 0])) == pytest.approx(0.55)


def test_grid_threshold_never_cuts_between_equals():
    probabilities = np.array([0.6, 0.6, 0.6, 0.1])
    assert calibration.grid_threshold(probabilities, np.array([1, 0, 0, 0])) == pytest.approx(0.35)


def test_the_tutorials_decision_is_the_plain_sigmoid_at_half():
    logits = np.array([[1.0, -2.0], [-1.0, 3.0], [0.5, 0.1]])
    labels = np.array([[1, 0], [0, 1], [1, 1]])
    plain = calibration.fit(logits, labels, DecisionSettings(calibration="none", thresholds="half"))
    np.testing.assert_allclose(plain.probabilities(logits), 1 / (1 + np.exp(-logits)))
    np.testing.assert_allclose(plain.scores(logits), plain.probabilities(logits))
