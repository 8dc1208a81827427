"""Whole ingests of small folders, and of the real posters where they are at hand."""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.errors import PostersError
from components.ingest import IngestOptions, ingest
from components.ingest.split import split_of
from tests.ingest_sources import (
    OPTIONS,
    REAL,
    ROOT,
    encode,
    folder_content,
    make_source,
    picture,
    read_all,
    read_rejected,
    write_json_lines,
    write_table,
)

JPEG = encode(picture(0))


@pytest.fixture
def source(tmp_path):
    return make_source(tmp_path)


def test_examples_hold_the_rows_and_the_files_bytes(source, tmp_path):
    table, images, rows = source
    rows += [("040", "", "Rare|Drama"), ("041", "Sîn", "Drama"), ("042", "A (1999)", "Rare|Rarer")]
    for identifier in ("040", "041", "042"):
        (images / f"{identifier}.jpg").write_bytes(encode(picture(int(identifier))))
    write_table(table, rows)
    result = ingest(table, images, tmp_path / "out", OPTIONS)
    examples = read_all(result.folder)
    assert sorted(examples) == [f"{number:03d}" for number in range(42)]
    for identifier, example in examples.items():
        assert example["poster"] == (images / f"{identifier}.jpg").read_bytes()
        assert example["split"] == split_of(identifier, OPTIONS.split_shares)
    assert examples["002"]["genres"] == [b"Comedy", b"Drama"]
    assert (examples["002"]["title"], examples["002"]["year"]) == ([b"Film 2 (1952)"], [1952])
    assert examples["040"]["genres"] == [b"Drama"]
    assert (examples["040"]["title"], examples["040"]["year"]) == ([], [])
    assert examples["041"]["title"] == ["Sîn".encode()]
    assert read_rejected(result.folder / "rejected.csv")["042"]["reason"] == "no_label_left"


def test_the_manifest_accounts_for_every_row(source, tmp_path):
    table, images, rows = source
    (images / "040.jpg").write_bytes(b"")
    (images / "041.jpg").write_bytes(JPEG)
    rows += [
        rows[0],
        ("001", "again", "Comedy"),
        ("040", "", "Drama"),
        ("041", "", "Adult"),
        ("042", "", "Drama"),
        ("043", "", ""),
        ("", "", "Drama"),
    ]
    write_table(table, rows)
    with table.open("ab") as file:
        file.write(b"044,,nul\0,,Drama,\r\n")
    result = ingest(table, images, tmp_path / "out", OPTIONS)
    manifest = json.loads((result.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest == result.manifest
    assert manifest["counts"] == {
        "rows": 48,
        "images": 40,
        "examples": 40,
        "repeats": 1,
        "conflicting_repeats": 1,
        "missing_images": 1,
        "undecodable": 1,
        "forbidden": 1,
        "without_labels": 1,
        "unreadable_rows": 2,
        "known": 0,
        "changed": 0,
        "split_conflicts": 0,
    }
    assert sum(manifest["rejected"].values()) == 48 - 40 - 1
    assert sum(manifest["examples"].values()) == 40
    kept = manifest["labels"]["kept"]
    assert list(kept) == (result.folder / "vocabulary.txt").read_text().split()
    examples = read_all(result.folder).values()
    for label, counts in kept.items():
        for split, count in counts.items():
            holders = [e for e in examples if e["split"] == split and label.encode() in e["genres"]]
            assert len(holders) == count
    for shard in manifest["shards"]:
        assert (result.folder / shard["name"]).stat().st_size == shard["bytes"]


def test_json_lines_and_a_table_of_another_form_give_the_same_examples(source, tmp_path):
    table, images, rows = source
    first = ingest(table, images, tmp_path / "first", OPTIONS)
    lines = tmp_path / "films.jsonl"
    write_json_lines(lines, [{"imdbId": i, "Title": t, "Genre": g.split("|")} for i, t, g in rows])
    second = ingest(lines, images, tmp_path / "second", OPTIONS)
    assert second.manifest["shards"] == first.manifest["shards"]
    other = tmp_path / "other.tsv"
    other.write_text("key\ttags\n" + "".join(f"{i}\t{g.replace('|', '; ')}\n" for i, _, g in rows))
    options = IngestOptions(
        id_column="key",
        labels_column="tags",
        title_column=None,
        column_separator="\t",
        label_separator=";",
        encoding="utf-8",
        min_label_count=2,
    )
    examples = read_all(ingest(other, images, tmp_path / "third", options).folder)
    assert {i: e["genres"] for i, e in examples.items()} == {
        i: e["genres"] for i, e in read_all(first.folder).items()
    }


def test_images_from_any_file_system_of_beam(source, tmp_path):
    from apache_beam.io.localfilesystem import LocalFileSystem

    class Remote(LocalFileSystem):
        """Local files under addresses of their own: what a cloud's file system would be."""

        @classmethod
        def scheme(cls):
            return "remote"

        def _local(self, path):
            return path.replace("remote://", "/", 1)

        def match(self, patterns, limits=None):
            for found in (matches := super().match([self._local(p) for p in patterns], limits)):
                for file in found.metadata_list:
                    file.path = "remote:/" + file.path
            return matches

        def open(self, path, *rest, **options):
            return super().open(self._local(path), *rest, **options)

    table, images, _ = source
    local = ingest(table, images, tmp_path / "first", OPTIONS)
    where = [f"remote:/{path}" for path in (table, images)]
    remote = ingest(*where, tmp_path / "second", OPTIONS)
    assert remote.manifest == local.manifest
    with pytest.raises(PostersError, match="unheard://a: no file system for this address"):
        ingest("unheard://a", images, tmp_path / "third", OPTIONS)


def test_rare_labels_are_counted_on_the_train_split_alone(source, tmp_path):
    table, images, rows = source
    shares = OPTIONS.split_shares
    outside_train = [row for row in rows if split_of(row[0], shares) != "train"]
    assert len(outside_train) > 3
    rows = [
        (i, title, labels + "|Late" * (split_of(i, shares) != "train")) for i, title, labels in rows
    ]
    write_table(table, rows)
    result = ingest(table, images, tmp_path / "out", OPTIONS)
    assert "Late" not in result.manifest["labels"]["kept"]


def test_shards_are_cut_by_size(source, tmp_path):
    table, images, _ = source
    small = IngestOptions(min_label_count=2, shard_bytes=5_000)
    result = ingest(table, images, tmp_path / "out", small)
    shards = [shard for shard in result.manifest["shards"] if shard["name"].startswith("train/")]
    assert len(shards) > 2
    assert shards[0]["name"] == f"train/data-00000-of-{len(shards):05d}.tfrecord"
    assert sum(shard["examples"] for shard in shards) == result.manifest["examples"]["train"]


def test_the_same_source_gives_the_same_bytes_whatever_the_tables_order(source, tmp_path):
    table, images, rows = source
    first = ingest(table, images, tmp_path / "first", OPTIONS)
    second = ingest(table, images, tmp_path / "second", OPTIONS)
    assert folder_content(first.folder) == folder_content(second.folder)
    write_table(table, reversed(rows))
    third = ingest(table, images, tmp_path / "third", OPTIONS)
    assert third.manifest["shards"] == first.manifest["shards"]


@pytest.mark.parametrize("at", [0, 1, 20, 21, 40])
def test_an_interruption_leaves_nothing(source, tmp_path, at):
    table, images, _ = source

    def interrupt(done, total):
        if done == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(table, images, tmp_path / "out", OPTIONS, interrupt)
    assert not (tmp_path / "out").exists()
    assert not ingest(table, images, tmp_path / "out", OPTIONS).already_done


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


def test_importing_ingest_loads_no_tensorflow():
    code = "import sys, components.ingest; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the real posters are not in {REAL}")
def test_the_real_posters(tmp_path):
    start = time.monotonic()
    result = ingest(
        REAL / "MovieGenre.csv",
        REAL / "images",
        tmp_path / "out",
        IngestOptions(min_label_count=75),
    )
    assert time.monotonic() - start < 90
    counts = result.manifest["counts"]
    assert (counts["rows"], counts["images"]) == (8102, 7624)
    assert (counts["repeats"], counts["missing_images"], counts["undecodable"]) == (78, 400, 0)
    assert counts["examples"] + counts["without_labels"] == 7624
    assert 20 <= len(result.manifest["labels"]["kept"]) < 25
    shares = {split: n / counts["examples"] for split, n in result.manifest["examples"].items()}
    assert shares == pytest.approx({"train": 0.70, "eval": 0.15, "test": 0.15}, abs=0.02)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4 << 20  # KiB: 4 GiB
