import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.retraining import label_drift


@pytest.mark.parametrize(("before", "now"), [(0.10, 0.2065), (0.50, 0.6478), (0.90, 0.9708)])
def test_the_same_h_on_rare_and_on_frequent_labels(before, now):
    many = 1_000_000
    found = label_drift.largest(
        {"Drama": round(before * many)}, many, {"Drama": round(now * many)}, many
    )
    assert found.h == pytest.approx(0.3, abs=0.002)
    assert (found.share_before, found.share_now) == pytest.approx((before, now))


def test_the_label_that_moved_most_is_named():
    found = label_drift.largest(
        {"Drama": 400, "Horror": 50, "War": 50}, 1000, {"Drama": 195, "Horror": 75}, 500
    )
    assert found.label == "War"
    assert found.share_now == 0
    assert found.exceeds(0.3)


def test_a_limit_must_be_exceeded_and_chance_too():
    before, now = {"Drama": 100}, {"Drama": 21}
    few = label_drift.largest(before, 1000, now, 100)
    assert few.h > 0.3
    assert few.by_chance == pytest.approx(3.2905 * math.sqrt(1 / 1000 + 1 / 100), rel=1e-4)
    assert not few.exceeds(0.3)
    many = label_drift.largest({"Drama": 1000}, 10_000, {"Drama": 210}, 1000)
    assert many.exceeds(0.3)
    assert not many.exceeds(many.h)


def test_without_posters_or_labels_there_is_nothing_to_say():
    assert label_drift.largest({}, 10, {"Drama": 1}, 10) is None
    assert label_drift.largest({"Drama": 1}, 10, {}, 0) is None
    assert label_drift.largest({"Drama": 0}, 0, {"Drama": 1}, 10) is None


@given(
    shares=st.lists(st.floats(0.002, 0.998), min_size=1, max_size=30),
    new=st.integers(1, 300),
    seed=st.integers(0, 2**31),
)
def test_more_labels_and_fewer_posters_ask_for_more(shares, new, seed):
    generator = np.random.default_rng(seed)
    labels = [f"label {index}" for index in range(len(shares))]
    before, now = (
        dict(zip(labels, generator.binomial(count, shares).tolist(), strict=True))
        for count in (2000, new)
    )
    found = label_drift.largest(before, 2000, now, new)
    assert 0 <= found.h <= math.pi
    assert found.by_chance > label_drift.largest(before, 2000, now, new + 1).by_chance
    one = label_drift.largest({"label 0": before["label 0"]}, 2000, now, new)
    assert one.h <= found.h
    assert one.by_chance <= found.by_chance


@pytest.mark.parametrize("new", [3, 40, 400])
def test_two_samples_of_one_catalogue_are_hardly_ever_a_drift(new):
    """In 2,000 draws of 20 labels some two alarms are expected; without the guard hundreds come."""
    generator = np.random.default_rng(0)
    shares = np.linspace(0.01, 0.6, 20)
    labels = [str(index) for index in range(20)]
    alarms = unguarded = 0
    for _ in range(2000):
        before, now = (
            dict(zip(labels, generator.binomial(count, shares).tolist(), strict=True))
            for count in (4000, new)
        )
        found = label_drift.largest(before, 4000, now, new)
        alarms += found.exceeds(0.2)
        unguarded += found.h > 0.2
    assert alarms <= 8
    if new <= 40:
        assert unguarded > 1900
