import numpy as np
import pytest

from components.gate import chance


def test_the_examples_of_the_docstrings():
    half = {"a": 50, "b": 50}
    assert chance.largest_share_change(half, half) == pytest.approx(0.283, abs=0.001)
    assert chance.divergence(570, 125) == pytest.approx(0.084, abs=0.001)


@pytest.mark.parametrize("sizes", [(60, 300), (200, 1000), (2000, 10000)])
def test_samples_of_one_population_stay_within_the_bound(sizes):
    generator = np.random.default_rng(0)
    shares = np.array([0.25, 0.2, 0.15, *[0.4 / 17] * 17])
    beyond = 0
    for _ in range(1000):
        one, other = (generator.multinomial(size, shares) for size in sizes)
        distance = np.abs(one / one.sum() - other / other.sum()).max()
        counts = [{str(n): int(count) for n, count in enumerate(drawn)} for drawn in (one, other)]
        beyond += distance > chance.largest_share_change(*counts)
    assert beyond <= 5


def test_a_real_change_is_beyond_the_bound():
    before = {"Drama": 500, "War": 100}
    assert chance.largest_share_change({"Drama": 300, "War": 300}, before) < 0.33


@pytest.mark.parametrize("sizes", [(40, 120), (125, 570), (1000, 5000)])
def test_histograms_of_one_population_stay_within_the_bound(sizes):
    generator = np.random.default_rng(0)
    beyond = 0
    for _ in range(1000):
        one, other = (generator.multinomial(size, [1 / 20] * 20) / size for size in sizes)
        middle = (one + other) / 2
        divergence = sum(
            0.5 * part[part > 0] @ np.log2(part[part > 0] / middle[part > 0])
            for part in (one, other)
        )
        beyond += divergence > chance.divergence(*sizes)
    assert beyond <= 5
