"""Windows over any spans, dates and gaps."""

import datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.errors import PostersError
from components.spans.choice import choose
from components.spans.settings import LastSpans, SpanDates
from components.spans.words import in_words, ranges

NUMBERS = st.sets(st.integers(1, 120), min_size=1, max_size=30)
DAYS = st.dates(datetime.date(2025, 1, 1), datetime.date(2027, 12, 31))


def _choose(window, there, dates=None):
    return choose(window, there, (dates or {}).__getitem__, "/data")


@given(NUMBERS, st.integers(1, 40), st.randoms())
def test_the_last_are_those_with_the_highest_numbers(there, last, random):
    shuffled = random.sample(sorted(there), len(there))
    found = _choose(LastSpans(last=last), shuffled)
    assert len(found) == min(last, len(there))
    assert list(found) == sorted(found)
    left = there - set(found)
    assert not left or max(left) < min(found)
    assert _choose("latest", shuffled) == _choose(LastSpans(last=1), shuffled) == (max(there),)
    assert _choose("all", shuffled) == tuple(sorted(there))


@given(st.dictionaries(st.integers(1, 120), DAYS, min_size=1, max_size=30), DAYS, DAYS)
def test_a_range_of_dates_holds_every_span_of_them_and_no_other(dates, first, second):
    since, until = sorted((first, second))
    wanted = tuple(sorted(n for n, day in dates.items() if since <= day <= until))
    assume(wanted)
    assert _choose(SpanDates(since=since, until=until), list(dates), dates) == wanted
    # With one end open it holds what both halves hold.
    before = tuple(n for n in sorted(dates) if dates[n] <= until)
    assert _choose(SpanDates(until=until), list(dates), dates) == before


@given(NUMBERS, NUMBERS)
def test_numbers_that_are_there_are_taken_and_others_named(there, wanted):
    if missing := wanted - there:
        with pytest.raises(PostersError, match=rf"window: /data has no span-{min(missing)}\b"):
            _choose(tuple(wanted), list(there))
    else:
        assert _choose(tuple(wanted), list(there)) == tuple(sorted(wanted))


@given(NUMBERS)
def test_ranges_say_all_numbers_and_no_other(numbers):
    said = set()
    for part in ranges(sorted(numbers)).split(", "):
        first, _, last = part.partition("-")
        said |= set(range(int(first), int(last or first) + 1))
    assert said == numbers


def test_numbers_in_words():
    assert in_words([3]) == "span 3"
    assert in_words([9, 10]) == "spans 9, 10"
    assert in_words([1, 2, 3, 5, 99, 100, 101]) == "spans 1-3, 5, 99-101"
