import pytest

from components.gate import accepted
from components.gate.accepted import Accepted


@pytest.fixture
def folder(tmp_path):
    for span in (2, 9, 10, 100):
        (tmp_path / f"statistics-{span}").mkdir()
        accepted.record(f"{tmp_path}/gate", Accepted(span, f"{tmp_path}/statistics-{span}"))
    return f"{tmp_path}/gate"


@pytest.mark.parametrize(
    ("span", "before"), [(1, None), (2, None), (3, 2), (10, 9), (11, 10), (100, 10), (101, 100)]
)
def test_the_latest_earlier_span_is_found_by_number(folder, span, before):
    found = accepted.latest_before(folder, span)
    assert (found.span if found else None) == before


def test_a_span_whose_statistics_are_gone_is_passed_over(folder, tmp_path):
    (tmp_path / "statistics-10").rmdir()
    assert accepted.latest_before(folder, 11).span == 9


def test_a_damaged_record_is_passed_over(folder, tmp_path):
    (tmp_path / "gate" / "span-10.json").write_text("{")
    assert accepted.latest_before(folder, 11).span == 9
    (tmp_path / "gate" / "span-9.json").write_text('["a list"]')
    assert accepted.latest_before(folder, 11).span == 2


def test_there_is_none_before_the_first_run(tmp_path):
    assert accepted.latest_before(f"{tmp_path}/nowhere", 5) is None


def test_a_record_can_be_written_again(folder, tmp_path):
    record = Accepted(2, f"{tmp_path}/statistics-9", "für später")
    accepted.record(folder, record)
    assert accepted.latest_before(folder, 3) == record
