import dataclasses
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.schedules import due, plan, record
from pipeline.schedules.record import Schedule

UTC = datetime.timezone.utc
NOON = datetime.datetime(2026, 4, 1, 12, tzinfo=UTC)


def _schedule(missed="once", handled=NOON, text="0 * * * *", **more) -> Schedule:
    made = plan.make("hourly", text, "UTC", missed, **more)
    return Schedule(made, (), "/", handled)


def _at(hour: int, minute: int = 0, second: int = 0) -> datetime.datetime:
    return NOON.replace(hour=hour, minute=minute, second=second)


@pytest.mark.parametrize("missed", ["once", "never"])
def test_nothing_is_due_before_the_time_and_one_thing_at_it(missed):
    schedule = _schedule(missed)
    assert due.find(schedule, _at(12, 59, 59)) is None
    assert due.find(schedule, _at(13)) == due.Due(_at(13), 0, late=False, starts=True)
    assert due.find(schedule, _at(13, 10)) == due.Due(_at(13), 0, late=False, starts=True)


def test_of_several_missed_the_newest_is_caught_up_once():
    found = due.find(_schedule("once"), _at(17, 30))
    assert found == due.Due(_at(17), missed=4, late=True, starts=True)
    assert due.find(_schedule("once", handled=found.planned), _at(17, 30)) is None


def test_what_is_missed_is_left_out_where_that_is_wanted():
    found = due.find(_schedule("never"), _at(17, 30))
    assert found == due.Due(_at(17), missed=4, late=True, starts=False)
    # One whose time has just come is not missed, whatever was before.
    assert due.find(_schedule("never"), _at(17, 5)) == due.Due(_at(17), 4, late=False, starts=True)


def test_nothing_is_due_before_the_start_after_the_end_or_in_a_pause():
    assert due.find(_schedule(start="2026-04-01T15:00"), _at(14, 1)) is None
    assert due.find(_schedule(start="2026-04-01T15:00"), _at(15)).planned == _at(15)
    assert due.find(_schedule(end="2026-04-01T13:30", handled=_at(13)), _at(18)) is None
    assert due.find(record.with_pause(_schedule()), _at(18)) is None


def test_a_clock_that_ran_ahead_once_silences_nothing():
    ahead = _schedule(handled=NOON.replace(year=2036))
    assert due.find(ahead, _at(12, 59)) is None
    assert due.find(ahead, _at(13, 1)) == due.Due(_at(13), 0, late=False, starts=True)
    paused = record.with_pause(ahead)
    assert record.without_pause(paused, _at(12, 30)).handled == _at(12, 30)
    # A clock that is set back a little fires nothing a second time.
    assert due.find(_schedule(handled=_at(14)), _at(13, 5)) is None


def test_times_in_a_pause_are_not_caught_up():
    paused = record.with_pause(_schedule())
    resumed = record.without_pause(paused, _at(15, 30))
    assert due.find(resumed, _at(15, 40)) is None
    assert due.find(resumed, _at(16)).missed == 0
    # Resumed without a pause: what was missed is still to be caught up.
    assert due.find(record.without_pause(_schedule(), _at(15, 30)), _at(15, 40)).late


@given(
    st.lists(st.integers(1, 60 * 60 * 30), max_size=20),
    st.sampled_from(["once", "never"]),
    st.sampled_from(["0 * * * *", "30 2 * * *", "*/20 1-3 * * *", "0 0 1 * *"]),
)
def test_however_often_it_is_asked_no_time_is_done_twice_and_none_before(pauses, missed, text):
    schedule = _schedule(missed, NOON, text)
    now, done = NOON, [NOON]
    for seconds in pauses:
        now += datetime.timedelta(seconds=seconds)
        found = due.find(schedule, now)
        if found:
            assert done[-1] < found.planned <= now
            assert found.starts or (missed == "never" and now - found.planned > due.GRACE)
            done.append(found.planned)
            schedule = dataclasses.replace(schedule, handled=found.planned)
        assert due.find(schedule, now) is None
    # Nothing was left out: what is due was asked for until now.
    newest = NOON
    for firing in schedule.plan.firings(NOON):
        if firing > now:
            break
        newest = firing
    assert done[-1] == newest
