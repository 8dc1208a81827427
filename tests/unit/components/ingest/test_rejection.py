import csv
import io

from components.ingest.rejection import HEADER, Reason, Rejection, excerpt, to_csv


def test_the_list_is_in_the_tables_order_and_reads_back():
    items = [
        Rejection(17, "83987", Reason.EMPTY_FILE, "images/83987.jpg: the file is 0 bytes"),
        Rejection(3, 'a"b,c', Reason.NO_LABEL, "it has no label"),
    ]
    rows = list(csv.reader(io.StringIO(HEADER + to_csv(items, "films.csv"))))
    assert rows == [
        ["id", "source", "reason", "detail"],
        ['a"b,c', "films.csv:3", "no_label", "it has no label"],
        ["83987", "films.csv:17", "empty_file", "images/83987.jpg: the file is 0 bytes"],
    ]


def test_an_excerpt_is_one_short_line():
    assert excerpt("a\n b") == "a b"
    assert len(excerpt("x" * 10_000)) == 120
