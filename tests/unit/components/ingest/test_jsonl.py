import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import PostersError
from components.ingest.jsonl import read_json_lines
from components.ingest.options import IngestOptions
from components.ingest.rejection import Reason, Rejection
from components.ingest.table import Row

OPTIONS = IngestOptions(url_column="url")


@pytest.fixture
def read(tmp_path):
    def read(*lines, options=OPTIONS):
        path = tmp_path / "films.jsonl"
        text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_bytes("\n".join(text).encode("utf-8", "surrogateescape"))
        return list(read_json_lines(str(path), options))

    return read


def test_rows_hold_what_the_objects_hold(read):
    items = read(
        {"imdbId": 7, "Title": " Amélie (2001) ", "Genre": "Drama|Comedy", "url": "http://x/7"},
        "",
        {"imdbId": "08", "Genre": ["Film  Noir", "Drama", "Drama"], "Title": None},
    )
    assert items == [
        Row(1, "7", ("Drama", "Comedy"), "Amélie (2001)", 2001, "http://x/7"),
        Row(3, "08", ("Film Noir", "Drama"), "", None, ""),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", Reason.MALFORMED_ROW),
        ("[1]", Reason.MALFORMED_ROW),
        ("[" * 100_000, Reason.MALFORMED_ROW),
        ({"imdbId": "1", "Genre": {}}, Reason.MALFORMED_ROW),
        ({"imdbId": True, "Genre": "x"}, Reason.MALFORMED_ROW),
        ({"imdbId": "1", "Genre": "x", "Title": "t" * 10_000_000}, Reason.MALFORMED_ROW),
        ({"imdbId": "1\0", "Genre": "x"}, Reason.NUL_BYTE),
        ({"imdbId": "\ud800", "Genre": "x"}, Reason.BAD_ENCODING),
        ('{"imdbId": "1", "Genre": "\udcff"}', Reason.BAD_ENCODING),
        ({"Genre": "x"}, Reason.NO_ID),
        ({"imdbId": " ", "Genre": "x"}, Reason.NO_ID),
    ],
)
def test_lines_that_are_no_rows_are_rejected_and_the_others_stay(read, line, reason):
    items = read(line, {"imdbId": "2", "Genre": "x"})
    assert [type(item) for item in items] == [Rejection, Row]
    assert (items[0].line, items[0].reason, items[1].line) == (1, reason, 2)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_file_in_another_encoding_is_named_with_the_one_it_was_read_in(tmp_path, encoding):
    path = tmp_path / "films.jsonl"
    path.write_text(json.dumps({"imdbId": "1", "Genre": "x"}), encoding="ascii")
    options = IngestOptions(encoding=encoding)
    with pytest.raises(PostersError, match=rf"films\.jsonl is not {encoding}: .* ingest\.encoding"):
        list(read_json_lines(str(path), options))


def test_a_column_that_no_line_has(read):
    match = r"no column 'imdbId' \(ingest\.id_column\) in any line; the first object has: id, Genre"
    with pytest.raises(PostersError, match=match):
        read({"id": "1", "Genre": "x"})


def test_an_empty_and_a_missing_file(read, tmp_path):
    with pytest.raises(PostersError, match="is empty: expected one JSON object a line"):
        read("")
    with pytest.raises(PostersError, match=r"cannot read the table .*none\.jsonl: No such file"):
        list(read_json_lines(str(tmp_path / "none.jsonl"), OPTIONS))


@given(content=st.binary(max_size=200))
def test_no_bytes_crash_it(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "films.jsonl"
    path.write_bytes(b'{"imdbId": 1, "Genre": "x"}\n' + content)
    try:
        items = list(read_json_lines(str(path), OPTIONS))
    except PostersError:
        return
    assert items[0] == Row(1, "1", ("x",), "", None, "")
