import datetime
import itertools

import pytest

from components.errors import PostersError
from pipeline.schedules import plan, timezones

UTC = datetime.timezone.utc
NOW = datetime.datetime(2026, 3, 27, 12, tzinfo=UTC)


def _days(made: plan.Plan) -> list[str]:
    return [f"{time:%Y-%m-%d %H:%M}" for time in itertools.islice(made.firings(NOW), 9)]


def test_the_next_times_are_shown_in_the_zone_and_in_utc_with_changes_of_the_clock():
    assert plan.make("nightly", "30 2 * * *", "Europe/Berlin").describe(NOW) == [
        "Sat 2026-03-28 02:30 CET   Sat 2026-03-28 01:30 UTC",
        "(clocks are put forward 1 h)",
        "Sun 2026-03-29 03:00 CEST   Sun 2026-03-29 01:00 UTC",
        "Mon 2026-03-30 02:30 CEST   Mon 2026-03-30 00:30 UTC",
        "Tue 2026-03-31 02:30 CEST   Tue 2026-03-31 00:30 UTC",
        "Wed 2026-04-01 02:30 CEST   Wed 2026-04-01 00:30 UTC",
    ]
    autumn = datetime.datetime(2026, 10, 31, 12, tzinfo=UTC)
    assert plan.make("late", "0 23 * * *", "America/New_York").describe(autumn, 2) == [
        "Sat 2026-10-31 23:00 EDT   Sun 2026-11-01 03:00 UTC",
        "(clocks are put back 1 h)",
        "Sun 2026-11-01 23:00 EST   Mon 2026-11-02 04:00 UTC",
    ]


def test_start_and_end_are_included():
    made = plan.make(
        "x", "0 0,12 * * *", "Europe/Berlin", start="2026-04-01", end="2026-04-02T12:00"
    )
    assert _days(made) == [
        "2026-04-01 00:00", "2026-04-01 12:00", "2026-04-02 00:00", "2026-04-02 12:00"
    ]  # fmt: skip


def test_an_end_that_is_a_day_counts_whole():
    made = plan.make("x", "0 9,23 * * *", "UTC", end="2026-03-28")
    assert _days(made) == ["2026-03-27 23:00", "2026-03-28 09:00", "2026-03-28 23:00"]


def test_an_offset_of_its_own_goes_before_the_zone():
    made = plan.make("x", "0 12 * * *", "Europe/Berlin", start="2026-04-01T12:00+00:00")
    assert made.start == datetime.datetime(2026, 4, 1, 12, tzinfo=UTC)
    assert _days(made)[0] == "2026-04-02 12:00"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": "soon"}, "--start soon: write a date"),
        ({"end": "2026-13-01"}, "--end 2026-13-01"),
        ({"start": "2026-05-02", "end": "2026-05-01"}, "before --start 2026-05-02"),
        (
            {"timezone": "Europe/Berlim"},
            r"--timezone Europe/Berlim: .*mean Europe/Berlin\?",
        ),
        ({"timezone": ""}, "--timezone : no time zone"),
        ({"timezone": "localtime"}, "--timezone localtime: no time zone"),
        ({"timezone": "../etc/passwd"}, "no time zone"),
    ],
)
def test_what_is_wrong_is_named(options, words):
    with pytest.raises(PostersError, match=words):
        plan.make("x", "0 0 * * *", **{"timezone": "UTC", **options})


def test_a_plan_that_never_fires_is_refused():
    over = plan.make("x", "0 0 * * *", "UTC", end="2026-03-27T13:00")
    with pytest.raises(PostersError, match="does not fire from now"):
        plan.check_fires(over, NOW)
    plan.check_fires(plan.make("x", "0 0 29 2 *", "UTC"), NOW)


def test_zones_with_the_same_clock_are_taken_for_each_other():
    assert timezones.same_clock("UTC", "Etc/UTC", NOW)
    assert timezones.same_clock("Europe/Berlin", "Europe/Paris", NOW)
    assert not timezones.same_clock("Europe/London", "UTC", NOW)  # the same in winter
