import datetime
import itertools

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from components.errors import PostersError
from pipeline.schedules import cron, forms
from pipeline.schedules.timezones import zone
from tests import calendars

UTC = datetime.timezone.utc
BERLIN, NEW_YORK = zone("Europe/Berlin"), zone("America/New_York")
LORD_HOWE = zone("Australia/Lord_Howe")
#: Their clocks are put forward at midnight.
BEIRUT, SANTIAGO = zone("Asia/Beirut"), zone("America/Santiago")


def _next(text: str, after: str, timezone=BERLIN, count: int = 3) -> list[str]:
    start = datetime.datetime.fromisoformat(after).replace(tzinfo=UTC)
    found = itertools.islice(cron.parse(text).firings(start, timezone), count)
    return [f"{time:%m-%d %H:%M %Z} {time.astimezone(UTC):%H:%M}" for time in found]


def test_names_ranges_steps_and_lists():
    found = cron.parse("*/20 8-10  1,15 JAN-mar,dec *")
    assert found.minute.values == {0, 20, 40}
    assert found.hour.values == {8, 9, 10}
    assert found.day.values == {1, 15}
    assert found.month.values == {1, 2, 3, 12}
    assert found.weekday.is_full
    assert cron.parse("0 0 * * 5-7").weekday.values == {5, 6, 0}
    assert cron.parse("0 0 * * Sun").weekday.values == cron.parse("0 0 * * 7").weekday.values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("60 * * * *", ["minute: `60`", "0-59"]),
        ("0 24 * * *", ["hour: `24`", "0-23"]),
        ("0 0 0 * *", ["day of month: `0`", "1-31"]),
        ("0 0 * 13 *", ["month: `13`", "1-12 or jan-dec"]),
        ("0 0 * * 8", ["day of week: `8`", "0-7 or sun-sat"]),
        ("0 0 * * monday", ["day of week: `monday`"]),
        ("0 mon * * *", ["hour: `mon`"]),
        ("0 0 * * fri-mon", ["day of week", "from low to high"]),
        ("*/0 * * * *", ["minute: `*/0`"]),
        ("*/90 * * * *", ["minute", "step 90"]),
        ("0,, * * * *", ["minute: `0,,`"]),
        ("0 0 L * *", ["day of month: `l`", "not understood by every"]),
        ("0 0 * * mon#1", ["day of week: `mon#1`"]),
        ("0 0 ? * *", ["day of month: `?`"]),
        ("0 0 31 4,6 *", ["day of month: `31` never comes in month `4,6`"]),
        ("0 0 */2 * mon", ["day of month `*/2` with day of week `mon`"]),
        ("0 0 1 * */2", ["day of month `1` with day of week `*/2`"]),
        ("0 0 0 * * mon", ["six fields"]),
        ("0 0 *", ["3 fields"]),
        ("", ["0 fields"]),
        ("@weekly", ["Write five fields"]),
        ("TZ=Europe/Berlin 0 0 * * *", ["--timezone"]),
    ],
)
def test_what_is_wrong_is_named(text, words):
    with pytest.raises(PostersError) as error:
        cron.parse(text)
    for word in ["--cron", *words]:
        assert word in str(error.value)


def test_either_of_two_restricted_days_is_enough():
    assert _next("0 3 13 * fri", "2026-11-01T00:00", count=4) == [
        "11-06 03:00 CET 02:00",
        "11-13 03:00 CET 02:00",
        "11-20 03:00 CET 02:00",
        "11-27 03:00 CET 02:00",
    ]
    assert _next("0 3 13 * fri", "2026-12-11T12:00", count=1) == ["12-13 03:00 CET 02:00"]


def test_a_time_that_the_clock_skips_fires_at_the_end_of_the_gap():
    assert _next("30 2 * * *", "2026-03-28T12:00") == [
        "03-29 03:00 CEST 01:00",
        "03-30 02:30 CEST 00:30",
        "03-31 02:30 CEST 00:30",
    ]
    assert _next("30 2 * * *", "2026-03-07T12:00", NEW_YORK, 2) == [
        "03-08 03:00 EDT 07:00",
        "03-09 02:30 EDT 06:30",
    ]


def test_times_that_a_gap_makes_one_fire_once():
    assert _next("0,30 2,3 * * *", "2026-03-28T12:00") == [
        "03-29 03:00 CEST 01:00",
        "03-29 03:30 CEST 01:30",
        "03-30 02:00 CEST 00:00",
    ]


def test_a_time_that_comes_twice_fires_the_first_time():
    assert _next("30 2 * * *", "2026-10-24T12:00", count=2) == [
        "10-25 02:30 CEST 00:30",
        "10-26 02:30 CET 01:30",
    ]
    assert _next("30 1 * * *", "2026-10-31T12:00", NEW_YORK, 2) == [
        "11-01 01:30 EDT 05:30",
        "11-02 01:30 EST 06:30",
    ]


def test_asked_within_the_repeated_hour_it_does_not_fire_again():
    # 02:15 the second time: 02:30 has been an hour ago, by the same words.
    assert _next("30 2 * * *", "2026-10-25T01:15", count=1) == ["10-26 02:30 CET 01:30"]


def test_every_half_hour_is_every_half_hour_across_changes():
    for start in ("2026-03-29T00:10", "2026-10-25T00:10"):
        times = [line[-5:] for line in _next("*/30 * * * *", start, count=4)]
        assert times == ["00:30", "01:00", "01:30", "02:00"]


def test_what_the_clock_shows_is_counted_where_it_skips_midnight():
    assert _next("*/30 1 * * sun", "2026-03-27T22:55", BEIRUT) == [
        "03-29 01:00 EEST 22:00",
        "03-29 01:30 EEST 22:30",
        "04-05 01:00 EEST 22:00",
    ]
    # 00:00 does not exist that day.
    assert _next("*/15 */2 * * sun", "2026-09-06T02:09:30", SANTIAGO, 4) == [
        "09-06 02:00 -03 05:00",
        "09-06 02:15 -03 05:15",
        "09-06 02:30 -03 05:30",
        "09-06 02:45 -03 05:45",
    ]


def test_what_the_clock_shows_is_counted_where_it_is_put_back_half_an_hour():
    # Asked at 00:16; at 02:00 it is 01:30 again.
    assert _next("*/15 23 * * *", "2026-04-04T13:16:30", LORD_HOWE, 4) == [
        "04-05 23:00 +1030 12:30",
        "04-05 23:15 +1030 12:45",
        "04-05 23:30 +1030 13:00",
        "04-05 23:45 +1030 13:15",
    ]


def test_firings_a_month():
    assert cron.parse("0 3 * * *").per_month == pytest.approx(365 / 12)
    assert cron.parse("0 3 1 * *").per_month == 1
    assert cron.parse("0 3 * * mon").per_month == pytest.approx(52 / 12)
    assert cron.parse("*/30 * * * *").per_month == pytest.approx(365 * 48 / 12)
    # Four of the 1st and 15th of 2025 are Mondays.
    assert cron.parse("0 3 1,15 * mon").per_month == (52 + 24 - 4) / 12


_NUMBERS = {
    "minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7),
}  # fmt: skip


@st.composite
def _part(draw, low: int, high: int) -> str:
    first = draw(st.integers(low, high))
    kind = draw(st.sampled_from(["number", "range", "step", "range step", "number step"]))
    step = draw(st.integers(1, high - low))
    last = draw(st.integers(first, high))
    return {
        "number": f"{first}",
        "range": f"{first}-{last}",
        "step": f"*/{step}",
        "range step": f"{first}-{last}/{step}",
        "number step": f"{first}/{step}",
    }[kind]


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    listed = st.lists(_part(low, high), min_size=1, max_size=3).map(",".join)
    return st.one_of(st.just("*"), listed)


EXPRESSIONS = st.tuples(*(_field(*bounds) for bounds in _NUMBERS.values())).map(" ".join)
ZONES = st.sampled_from([BERLIN, NEW_YORK, zone("UTC"), LORD_HOWE, BEIRUT, SANTIAGO])
MOMENTS = st.datetimes(
    datetime.datetime(2026, 1, 1), datetime.datetime(2027, 1, 1), timezones=st.just(UTC)
)


def _parse(text: str) -> cron.Cron:
    try:
        return cron.parse(text)
    except PostersError:
        assume(False)


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, ZONES, MOMENTS)
@example("0,30 2,3 * * *", BERLIN, datetime.datetime(2026, 3, 28, 12, tzinfo=UTC))
@example("*/15,7 1/2 1-31 jan-mar */2", BERLIN, datetime.datetime(2026, 3, 28, 12, tzinfo=UTC))
@example("*/60,0-59 * * * *", BERLIN, datetime.datetime(2026, 1, 1, tzinfo=UTC))
@example("*/30,0-59 * * * *", BERLIN, datetime.datetime(2026, 1, 1, tzinfo=UTC))
def test_every_form_means_the_same_times(text, timezone, moment):
    expression = _parse(text)
    expected = list(itertools.islice(expression.firings(moment, timezone), 5))
    assert all(one < other for one, other in itertools.pairwise([moment, *expected]))
    line = forms.crontab(expression)
    kubeflow, vertex = forms.kubeflow(expression), forms.vertex(expression, timezone.key)
    assert kubeflow == f"0 {line}" and vertex == f"TZ={timezone.key} {line}"
    again = cron.parse(line)  # none is written that is not understood everywhere
    assert forms.crontab(again) == line
    assert list(itertools.islice(again.firings(moment, timezone), 5)) == expected
    # What reads either day when both are restricted without a star needs no more than that.
    assert (again.day.values, again.weekday.values) == (
        expression.day.values, expression.weekday.values
    )  # fmt: skip


#: Zones with the moments, in UTC, at which their clocks are put forward and back.
CHANGES = st.sampled_from([
    (timezone, datetime.datetime.fromisoformat(moment).replace(tzinfo=UTC))
    for timezone, *moments in (
        (BERLIN, "2026-03-29T01:00", "2026-10-25T01:00"),
        (BEIRUT, "2026-03-28T22:00", "2026-10-24T21:00"),
        (SANTIAGO, "2026-09-06T04:00", "2026-04-05T03:00"),
        (LORD_HOWE, "2026-10-03T15:30", "2026-04-04T15:00"),
        # Put back from 00:01 to 23:01, which is another day.
        (zone("America/St_Johns"), "2010-03-14T03:31", "2010-11-07T02:31"),
    )
    for moment in moments
])  # fmt: skip
STEPS = st.sampled_from(["*", "*/2", "*/5", "*/15"])


@settings(max_examples=100, deadline=None)
@given(CHANGES, st.integers(-3000, 1000), STEPS, st.data())
def test_with_a_star_all_that_passes_is_counted(change, minutes, starred, data):
    timezone, moment = change
    texts = [data.draw(_field(*_NUMBERS[name])) for name in ("minute", "hour")]
    texts[data.draw(st.integers(0, 1))] = starred
    days = data.draw(st.sampled_from(["*", "sat", "sun", "0-3"]))
    expression = _parse(f"{' '.join(texts)} * * {days}")
    start = moment + datetime.timedelta(minutes=minutes)
    passing = [start + datetime.timedelta(minutes=after) for after in range(1, 3000)]
    found = itertools.takewhile(
        lambda time: time <= passing[-1], expression.firings(start, timezone)
    )
    expected = [
        time
        for time, here in ((time, time.astimezone(timezone)) for time in passing)
        if here.minute in expression.minute.values
        and here.hour in expression.hour.values
        and expression.matches_day(here.date())
    ]
    assert [time.astimezone(UTC) for time in found] == expected


@settings(max_examples=25, deadline=None)
@given(EXPRESSIONS, MOMENTS)
@example("0 3 13 * fri", datetime.datetime(2026, 11, 1, tzinfo=UTC))
@example("0 3 29 2 *", datetime.datetime(2026, 11, 1, tzinfo=UTC))
@example("59 23 31 12 sun", datetime.datetime(2026, 11, 1, tzinfo=UTC))
def test_systemd_fires_at_the_same_times(text, moment):
    expression = _parse(text)
    expected = list(itertools.islice(expression.firings(moment, zone("UTC")), 3))
    assert calendars.firings(forms.systemd(expression, "UTC"), moment, 3) == expected


def test_systemd_goes_by_the_zone():
    lines = forms.systemd(cron.parse("0 3 * * mon"), "Europe/Berlin")
    start = datetime.datetime(2026, 3, 22, 12, tzinfo=UTC)
    found = calendars.firings(lines, start, 2)
    assert [f"{time:%m-%d %H:%M}" for time in found] == ["03-23 02:00", "03-30 01:00"]


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("0123456789*/,- @LW#?monJAN=TZ\t"), max_size=20))
def test_nothing_is_taken_that_the_library_refuses(text):
    try:
        found = cron.parse(text)
    except PostersError:
        return
    try:
        CronSim(found.text, datetime.datetime(2026, 1, 1))
    except CronSimError:
        pytest.fail(f"{text!r} was taken")
