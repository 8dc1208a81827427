"""The first ten weeks of the simulated year; `python -m bench.year` lives through all of it."""

import pytest

from bench.year import chart, simulation
from bench.year.plan import NEW_GENRE, YEAR

pytestmark = pytest.mark.slow


def test_ten_weeks_come_to_what_the_plan_says():
    """Every decision, outcome, exit status and served version is asserted as it is lived."""
    weeks = list(simulation.live(YEAR[:10]))
    assert [week.pushed for week in weeks] == [1, 1, 1, 1, 2, 2, 3, 3, 4, 5]
    trained_on = [week.attempts[-1].trained_on for week in weeks]
    assert trained_on[4] == (1, 3, 4, 5)
    assert trained_on[7] == (1, 3, 4, 5, 6, 7, 8)
    assert trained_on[9] == (1, 3, 4, 5, 6, 7, 8, 9, 10)
    # What came late is of the week before, and has the higher number.
    assert weeks[7].spans == {7: "2025-02-24", 8: "2025-02-17"}
    assert NEW_GENRE in weeks[4].attempts[-1].sentence
    assert "span 2" in weeks[2].attempts[0].sentence
    # A week in which nothing is trained runs no node.
    assert not any(week.attempts[-1].nodes for week in (weeks[2], weeks[3]))
    drawn = chart.draw(weeks)
    assert all(event in drawn for event in ("quiet", "new genre", "crash", "late span"))
