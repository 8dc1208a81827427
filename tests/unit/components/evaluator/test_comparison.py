import numpy as np
import pytest

from components.evaluator.comparison import compare


def _models(count=400, noise=0.3, seed=0, frequency=(0.5, 0.3, 0.03)):
    """Truth of two frequent labels and a rare one, and scores of a decent model."""
    generator = np.random.default_rng(seed)
    truth = generator.random((count, len(frequency))) < frequency
    scores = np.clip(truth * 0.6 + 0.2 + noise * generator.normal(size=truth.shape), 0, 1)
    return truth, scores


def test_equal_models_do_not_differ():
    truth, scores = _models()
    found = compare(truth, scores, scores, 30)
    assert found.macro_difference == 0
    assert found.macro_drop == 0
    assert found.drops.tolist() == [0, 0, 0]
    assert found.macro_interval.tolist() == [0, 0]
    assert found.judged.tolist() == [True, True, False]


def test_a_label_that_is_never_given_any_more_falls_by_all_it_had():
    truth, scores = _models()
    collapsed = scores.copy()
    collapsed[:, 1] = 0
    found = compare(truth, collapsed, scores, 30)
    assert found.drops[1] == pytest.approx(found.baseline_f1[1])
    assert found.drops[0] == found.drops[2] == 0
    assert found.macro_drop == pytest.approx(found.baseline_f1[1] / 3)
    assert found.macro_interval[1] < 0


def test_a_label_with_little_support_has_no_drop():
    truth, scores = _models()
    collapsed = scores.copy()
    collapsed[:, 2] = 0
    assert compare(truth, collapsed, scores, 30).drops[2] == 0
    assert compare(truth, collapsed, scores, 2).drops[2] > 0.1


def test_the_better_model_has_no_drop():
    truth, scores = _models()
    found = compare(truth, scores, 1 - scores, 30)
    assert found.macro_difference > 0.3
    assert found.macro_drop == 0
    assert not found.drops.any()


def test_models_of_the_same_quality_are_seldom_told_apart():
    """Two models that err independently: a fall is called out one time in forty at most, or so."""
    macro, labels = 0, 0
    for seed in range(100):
        truth, scores = _models(seed=seed)
        again = np.random.default_rng(1000 + seed).normal(size=truth.shape)
        other = np.clip(truth * 0.6 + 0.2 + 0.3 * again, 0, 1)
        found = compare(truth, scores, other, 10)
        macro += found.macro_drop > 0
        labels += found.drops.any()
    assert macro <= 8
    assert labels <= 8


def test_many_labels_raise_no_more_false_alarms_than_one():
    labels, alarms = [0.3] * 20, 0
    for seed in range(40):
        truth, scores = _models(300, seed=seed, frequency=labels)
        again = np.random.default_rng(1000 + seed).normal(size=truth.shape)
        other = np.clip(truth * 0.6 + 0.2 + 0.3 * again, 0, 1)
        alarms += compare(truth, scores, other, 10).drops.any()
    assert alarms <= 5  # twenty labels each with a fortieth would raise some sixteen
