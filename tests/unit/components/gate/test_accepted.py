import json

import pytest

from components.gate import accepted
from components.gate.accepted import Accepted


def _record(span, statistics="", train=0, **more):
    return Accepted(span, statistics, f"digest-{span}", {"train": train, "test": 1}, **more)


@pytest.fixture
def folder(tmp_path):
    for span in (2, 9, 10, 100):
        (tmp_path / f"statistics-{span}").mkdir()
        accepted.record(f"{tmp_path}/gate", _record(span, f"{tmp_path}/statistics-{span}"))
    return f"{tmp_path}/gate"


def _latest_before(folder, *new):
    found = accepted.latest(accepted.before(accepted.read_all(folder), new))
    return found.span if found else None


@pytest.mark.parametrize(
    ("new", "before"),
    [
        ((1,), None),
        ((2,), None),
        ((3,), 2),
        ((10,), 9),
        ((11,), 10),
        ((100,), 10),
        ((101,), 100),
        # Several at once are compared with what came before all of them.
        ((10, 11), 9),
        ((2, 9, 10, 11), None),
        # One that was refused before, and others after it were let through.
        ((5, 11), 10),
    ],
)
def test_the_latest_earlier_span_is_found_by_number(folder, new, before):
    assert _latest_before(folder, *new) == before


def test_a_span_whose_statistics_are_gone_is_passed_over(folder, tmp_path):
    (tmp_path / "statistics-10").rmdir()
    assert _latest_before(folder, 11) == 9


@pytest.mark.parametrize("text", ["{", '["a list"]', '{"span": 10, "statistics": "/x"}'])
def test_a_damaged_record_is_passed_over(folder, tmp_path, text):
    (tmp_path / "gate" / "span-10.json").write_text(text)
    assert _latest_before(folder, 11) == 9


def test_there_is_none_before_the_first_run(tmp_path):
    assert accepted.read_all(f"{tmp_path}/nowhere") == []


def test_a_record_can_be_written_again(folder, tmp_path):
    record = _record(2, f"{tmp_path}/statistics-9", override="für später")
    accepted.record(folder, record)
    assert accepted.read_all(folder)[0] == record
    assert json.loads(record.to_json())["override"] == "für später"


def test_the_usual_size_is_the_median_of_the_last_five_without_the_first():
    catalogue, weeks = _record(1, train=9000), [70, 80, 75, 20, 90, 85]
    assert accepted.usual_size([]) is None
    assert accepted.usual_size([catalogue]) is None
    later = [_record(place + 2, train=count) for place, count in enumerate(weeks)]
    assert accepted.usual_size([catalogue, later[0]]) == {"train": 70, "test": 1}
    assert accepted.usual_size([catalogue, *later]) == {"train": 80, "test": 1}
