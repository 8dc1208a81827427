import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import PostersError
from components.ingest.options import IngestOptions
from components.ingest.rejection import Reason, Rejection
from components.ingest.table import Row, read_table

OPTIONS = IngestOptions()
HEADER = "imdbId,Imdb Link,Title,IMDB Score,Genre,Poster\n"


class Table:
    def __init__(self, items):
        self.rows = [item for item in items if isinstance(item, Row)]
        self.rejections = [item for item in items if isinstance(item, Rejection)]


def collect(path, options):
    return Table(list(read_table(str(path), options)))


@pytest.fixture
def read(tmp_path):
    """Reads a table made of the bytes or the text given."""

    def read(content, options=OPTIONS):
        path = tmp_path / "films.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("latin-1"))
        return collect(path, options)

    return read


def faults(table):
    return [(item.line, item.id, item.reason) for item in table.rejections]


def test_a_row_in_the_public_files_form(read):
    table = read(HEADER + '0114709,http://x/,"American, An (1991)",8.3, Drama|Comedy ,http://y\n')
    (row,) = table.rows
    assert (row.line, row.id, row.labels) == (2, "0114709", ("Drama", "Comedy"))
    assert (row.title, row.year) == ("American, An (1991)", 1991)
    assert not table.rejections


@pytest.mark.parametrize(
    ("title", "year"),
    [("", None), ("1984", None), ("1984 (1956)", 1956), ("Odd (2001) ", 2001), ("(99)", None)],
)
def test_the_year_is_what_stands_in_brackets_at_the_titles_end(read, title, year):
    assert read(f"{HEADER}1,,{title},,Drama,\n").rows[0].year == year


@pytest.mark.parametrize(("cell", "year"), [("1991", 1991), (" 1991.0 ", 1991), ("MCM", None)])
def test_a_year_column_overrules_the_title(read, cell, year):
    options = IngestOptions(year_column="Year")
    assert read(f"imdbId,Title,Genre,Year\n1,A (1900),x,{cell}\n", options).rows[0].year == year


def test_a_table_without_titles(read):
    table = read(
        "imdbId;Genre\n1;a+b\n".replace(";", "\t"),
        IngestOptions(title_column=None, column_separator="\t", label_separator="+"),
    )
    assert (table.rows[0].title, table.rows[0].labels) == ("", ("a", "b"))


def test_quoted_commas_newlines_and_quotes_and_blank_lines(read):
    table = read(HEADER + '1,,"a, ""b""\nc",,x,\n\n\n2,,d,,y,\n')
    assert [(row.line, row.title) for row in table.rows] == [(2, 'a, "b"\nc'), (6, "d")]


def test_crlf_and_old_line_ends(read):
    for end in ("\r\n", "\r"):
        table = read((HEADER + "1,,a,,x|y,\n2,,b,,z,\n").replace("\n", end))
        assert [row.labels for row in table.rows] == [("x", "y"), ("z",)]


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
def test_a_byte_order_mark_overrules_the_encoding(read, mark, encoding):
    table = read(mark + (HEADER + "1,,Amélie 東,,x,\n").encode(encoding))
    assert table.rows[0].title == "Amélie 東"


def test_latin_1_titles(read):
    assert read(HEADER + "1,,Amélie,,x,\n").rows[0].title == "Amélie"


def test_rows_that_cannot_be_read_are_rejected_and_the_others_stay(read):
    content = (
        HEADER.encode()
        + b"1,,a,,x,\n"
        + b"2,,a\0b,,x,\n"
        + b"3,,caf\xe9,,x,\n"
        + b"4,,a,b,c,x,\n"
        + b"5,,a\n"
        + b"  ,,a,,x,\n"
        + b'6,,"a"b,,x,\n'
        + b"7,,"
        + b"t" * 10_000_000
        + b",,x,\n"
        + b"8,,a,,x,\n"
    )
    table = read(content, IngestOptions(encoding="utf-8"))
    assert [row.id for row in table.rows] == ["1", "8"]
    assert faults(table) == [
        (3, "2", Reason.NUL_BYTE),
        (4, "3", Reason.BAD_ENCODING),
        (5, "4", Reason.MALFORMED_ROW),
        (6, "5", Reason.MALFORMED_ROW),
        (7, "", Reason.NO_ID),
        (8, "", Reason.MALFORMED_ROW),
        (9, "", Reason.MALFORMED_ROW),
    ]
    assert "7 columns where the header has 6" in table.rejections[2].detail


@pytest.mark.parametrize(
    "rows",
    [
        '1,,"open,,x,\n2,,a,,x,\n3,,a,,x,\n',
        '1,,"open,,x,\n2,,a,,x,\n3,,"Bar, The",,x,\n',
        '1,,"open,,x,\n' + "2,,a,,x,\n" * 20_000,
    ],
)
def test_a_quote_that_swallows_rows_is_an_error_that_names_the_line(read, rows):
    with pytest.raises(PostersError, match=r"films\.csv, line 2: a quote .* not closed"):
        read(HEADER + rows)


def test_no_such_file(tmp_path):
    with pytest.raises(PostersError, match=r"cannot read the table .*none\.csv: No such file"):
        collect(tmp_path / "none.csv", OPTIONS)


@pytest.mark.parametrize("content", ["", "\n", " , \n1,2\n"])
def test_an_empty_file(read, content):
    with pytest.raises(PostersError, match=r"films\.csv has no header: it is empty"):
        read(content)


def test_a_header_alone(read):
    with pytest.raises(PostersError, match="a header and no rows"):
        read(HEADER)


def test_missing_columns_are_named_beside_those_found(read):
    with pytest.raises(PostersError) as caught:
        read("id,Title,tags\n1,a,x\n")
    message = str(caught.value)
    assert "no column 'imdbId' (ingest.id_column), no column 'Genre'" in message
    assert "id, Title, tags" in message
    assert "--set ingest.id_column=" in message


def test_a_column_that_stands_twice(read):
    with pytest.raises(PostersError, match=r"two columns 'Genre' \(ingest\.labels_column\)"):
        read("imdbId,Title,Genre,Genre\n1,a,x,y\n")


def test_an_encoding_that_cannot_be_is_named(read):
    with pytest.raises(PostersError, match=r"is not utf-16: .* set ingest\.encoding"):
        read(HEADER + "1,,a,,x,\n", IngestOptions(encoding="utf-16"))


@given(content=st.binary(max_size=300))
def test_no_bytes_crash_it(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "films.csv"
    path.write_bytes(HEADER.encode() + content)
    try:
        table = collect(path, OPTIONS)
    except PostersError:
        return
    assert all(row.id and "\0" not in row.id for row in table.rows)
