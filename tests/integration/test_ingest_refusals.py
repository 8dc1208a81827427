"""Sources and places that an ingest refuses: the message, and that nothing is left."""

from pathlib import Path

import pytest

from components.errors import PostersError
from components.ingest import IngestOptions, ingest
from tests.ingest_sources import (
    OPTIONS,
    encode,
    make_source,
    picture,
    read_rejected,
    write_table,
)

JPEG = encode(picture(0))


@pytest.fixture
def source(tmp_path):
    return make_source(tmp_path)


def refuse(source, tmp_path, match, options=OPTIONS, progress=None):
    """Asserts that an ingest fails with the message and leaves no trace."""
    table, images, _ = source
    with pytest.raises(PostersError, match=match):
        ingest(table, images, tmp_path / "out", options, progress)
    assert not (tmp_path / "out").exists()


def test_too_many_rejected_publishes_nothing_but_the_list(source, tmp_path):
    table, images, _ = source
    for number in range(7):
        (images / f"{number:03d}.jpg").write_bytes(b"<html>")
    match = (
        r"(?s)7 of 40 images of .*cannot be decoded, above ingest\.max_rejected_share = "
        r"0\.05; .*line 2 \(id 000\): not_an_image: .*000\.jpg: .*and 2 more.*rejected-span-1\.csv"
    )
    strict = IngestOptions(min_label_count=2)
    out = tmp_path / "out"
    with pytest.raises(PostersError, match=match):
        ingest(table, images, out, strict)
    assert [path.name for path in out.iterdir()] == ["rejected-span-1.csv"]
    assert len(read_rejected(out / "rejected-span-1.csv")) == 7
    for number in range(7):
        (images / f"{number:03d}.jpg").write_bytes(encode(picture(number)))
    assert not ingest(table, images, out, strict).already_done
    assert [path.name for path in out.iterdir()] == ["span-1"]


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ([("", "", "Drama")] * 3, r"3 of 43 rows of .* cannot be read"),
        ([(f"no{n}", "", "Drama") for n in range(3)], r"3 of 43 rows of .* have no image"),
    ],
)
def test_too_many_rows_without_use(source, tmp_path, more, match):
    table, images, rows = source
    write_table(table, more + rows)
    with pytest.raises(PostersError, match=match):
        ingest(table, images, tmp_path / "out", IngestOptions(min_label_count=2))


def test_nowhere_to_take_images_from(source, tmp_path):
    with pytest.raises(PostersError, match=r"give --images, or .*ingest\.url_column"):
        ingest(source[0], None, tmp_path / "out", OPTIONS)


def test_progress_rises_and_ends_at_the_number_of_rows(source, tmp_path):
    table, images, rows = source
    (images / "040.jpg").write_bytes(b"")
    write_table(table, [*rows, rows[0], ("040", "", "Drama"), ("041", "", "Drama"), ("", "", "x")])
    calls = []
    ingest(table, images, tmp_path / "out", OPTIONS, lambda *call: calls.append(call))
    done = [call[0] for call in calls]
    assert done == sorted(done)
    assert calls[-1] == (44, 44)
    assert {total for _, total in calls} == {44}


def test_no_table(source, tmp_path):
    table, _, _ = source
    table.unlink()
    refuse(source, tmp_path, r"cannot read the table .*films\.csv: No such file")


def test_no_match(source, tmp_path):
    _, images, _ = source
    for path in list(images.iterdir()):
        path.rename(path.with_name(f"tt{path.name}"))
    match = r"(?s)no image in .* belongs to a row of .*tt000\.jpg.*want 000\.jpg.*ingest\.id_column"
    refuse(source, tmp_path, match)


def test_an_empty_images_folder(source, tmp_path):
    _, images, _ = source
    for path in list(images.iterdir()):
        path.unlink()
    refuse(source, tmp_path, "the folder has no image files; the rows want 000.jpg")


def test_no_frequent_label(source, tmp_path):
    match = r"no label has 1000 .* Drama \d+, Comedy \d+\. Lower .*--set ingest\.min_label_count="
    refuse(source, tmp_path, match, IngestOptions())


def test_an_empty_split(source, tmp_path):
    table, _, rows = source
    write_table(table, rows[:3])
    options = IngestOptions(min_label_count=1)
    refuse(
        source, tmp_path, r"3 examples leave the split .*(eval|test) empty; ingest more", options
    )


@pytest.mark.parametrize("change", ["changed while it was being ingested", "cannot now"])
def test_an_image_that_changes_meanwhile(source, tmp_path, change):
    _, images, _ = source

    def meddle(done, total):
        if done == 20:
            for path in images.iterdir():
                path.unlink()
                if "changed" in change:
                    path.write_bytes(JPEG)

    refuse(source, tmp_path, change, progress=meddle)


def test_an_out_that_is_a_file(source, tmp_path):
    table, images, _ = source
    (tmp_path / "out").write_text("mine")
    with pytest.raises(PostersError, match=r"cannot write .*out: .*out: File exists"):
        ingest(table, images, tmp_path / "out", OPTIONS)
    assert (tmp_path / "out").read_text() == "mine"


def test_a_full_disk(source, tmp_path, monkeypatch):
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full is not here to stand for a full disk")
    from components.ingest import records

    make_scratch = records.tempfile.mkstemp

    def on_full_disk(dir, prefix):
        handle, name = make_scratch(dir=dir, prefix=prefix)
        Path(name).unlink()
        Path(name).symlink_to("/dev/full")
        return handle, name

    monkeypatch.setattr(records.tempfile, "mkstemp", on_full_disk)
    refuse(source, tmp_path, r"cannot write records to .*No space left on device; nothing was pub")
