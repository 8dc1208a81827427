import numpy as np
import pytest

from components.evaluator import reliability


def test_bins_by_hand():
    found = reliability.measure(
        np.array([0, 1, 1, 0, 1]), np.array([0.02, 0.08, 0.1, 0.95, 1.0], np.float32)
    )
    assert found.count.tolist() == [2, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    np.testing.assert_allclose(found.mean_probability[[0, 1, 9]], [0.05, 0.1, 0.975], atol=1e-6)
    np.testing.assert_allclose(found.share_positive[[0, 1, 9]], [0.5, 1, 0.5])
    assert np.isnan(found.mean_probability[2:9]).all()
    assert np.isnan(found.share_positive[2:9]).all()
    # (2 * 0.45 + 1 * 0.9 + 2 * 0.475) / 5
    assert found.expected_calibration_error == pytest.approx(0.55, abs=1e-6)


def test_probabilities_that_come_true_have_next_to_no_error():
    generator = np.random.default_rng(0)
    probabilities = generator.random(100_000)
    truth = generator.random(100_000) < probabilities
    assert reliability.measure(truth, probabilities).expected_calibration_error < 0.01
    overconfident = reliability.measure(truth, np.round(probabilities))
    assert overconfident.expected_calibration_error == pytest.approx(0.25, abs=0.01)
