import numpy as np

from components.evaluator import bootstrap
from components.evaluator.counts import count


def _drawn(count=200, width=3, seed=0):
    generator = np.random.default_rng(seed)
    truth = generator.random((count, width)) < [0.5, 0.3, 0.0]
    return truth, generator.random(truth.shape) < 0.3 + 0.4 * truth


def test_a_resample_is_the_f1_of_the_examples_that_were_drawn():
    truth, given = _drawn()
    (found,) = bootstrap.f1_resamples(truth, [given])
    assert found.shape == (bootstrap.RESAMPLES, 3)
    weights = np.concatenate(list(bootstrap._weights(len(truth))))
    assert weights.sum(axis=1).tolist() == [len(truth)] * bootstrap.RESAMPLES
    for row in (0, 7, 999):
        rows = np.repeat(np.arange(len(truth)), weights[row].astype(int))
        np.testing.assert_allclose(found[row], count(truth[rows], given[rows].astype(float)).f1)


def test_memory_in_small_pieces_changes_nothing(monkeypatch):
    truth, given = _drawn()
    (whole,) = bootstrap.f1_resamples(truth, [given])
    monkeypatch.setattr(bootstrap, "_CHUNK", 1000)
    (pieces,) = bootstrap.f1_resamples(truth, [given])
    np.testing.assert_array_equal(whole, pieces)


def test_models_are_resampled_together():
    truth, given = _drawn()
    first, second = bootstrap.f1_resamples(truth, [given, given])
    np.testing.assert_array_equal(first, second)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """F1 of one label on 150 examples, 200 times, against the F1 of a million."""
    population, answers = _drawn(1_000_000, 1 + 2, seed=1)
    expected = count(population, answers.astype(float)).f1[1]
    held = 0
    for at in range(200):
        rows = slice(at * 150, (at + 1) * 150)
        (resamples,) = bootstrap.f1_resamples(population[rows], [answers[rows]])
        low, high = bootstrap.interval(resamples[:, 1])
        held += low <= expected <= high
    # 95 % of 200 is 190; a fair coin of that kind stays above 176 but once in ten thousand.
    assert held >= 176


def test_one_example_is_always_drawn():
    (found,) = bootstrap.f1_resamples(np.array([[True]]), [np.array([[True]])])
    assert (found == 1).all()
    assert bootstrap.interval(found).tolist() == [[1], [1]]
