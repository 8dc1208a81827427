from components.ingest.rejection import Reason
from components.ingest.screen import screen_rows
from components.ingest.table import Row


def row(line, identifier, *labels):
    return Row(line, identifier, labels, "", None)


def faults(screened):
    return [(item.line, item.reason) for item in screened.rejections]


def test_the_first_row_of_an_id_counts():
    rows = [row(2, "1", "a", "b"), row(3, "2", "a"), row(4, "1", "b", "a"), row(5, "1", "a", "b")]
    screened = screen_rows(rows, ())
    assert screened.rows == rows[:2]
    assert (screened.repeats, screened.rejections) == (2, [])


def test_a_repeat_with_other_labels_is_reported():
    screened = screen_rows([row(2, "1", "a"), row(3, "1", "b"), row(4, "1")], ())
    assert [kept.line for kept in screened.rows] == [2]
    assert faults(screened) == [(3, Reason.CONFLICTING_REPEAT), (4, Reason.CONFLICTING_REPEAT)]
    assert screened.rejections[0].detail == "labels b here and a on line 2, which counts"


def test_forbidden_labels_match_whole_names_only():
    screened = screen_rows([row(2, "1", "Adult", "a"), row(3, "2", "Adult Swim")], ("Adult",))
    assert [kept.id for kept in screened.rows] == ["2"]
    assert faults(screened) == [(2, Reason.FORBIDDEN_LABEL)]


def test_a_forbidden_label_in_any_row_of_an_id_forbids_the_id():
    screened = screen_rows([row(2, "1", "a"), row(3, "1", "a", "Adult")], ("Adult",))
    assert screened.rows == []
    assert faults(screened) == [(2, Reason.FORBIDDEN_LABEL), (3, Reason.FORBIDDEN_LABEL)]
    assert all("on line 3" in item.detail for item in screened.rejections)


def test_rows_without_labels_are_rejected():
    screened = screen_rows([row(2, "1"), row(3, "1"), row(4, "2", "a")], ())
    assert [kept.id for kept in screened.rows] == ["2"]
    assert faults(screened) == [(2, Reason.NO_LABEL)]
    assert screened.repeats == 1
