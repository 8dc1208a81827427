"""Whole ingests of small folders, and of the real posters where they are at hand."""

import json
import resource
import subprocess
import sys

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


def test_importing_ingest_loads_neither_tensorflow_nor_beam():
    code = (
        "import sys, components.ingest\nassert not {'tensorflow', 'apache_beam'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the real posters are not in {REAL}")
def test_the_real_posters(tmp_path):
    result = ingest(
        REAL / "MovieGenre.csv",
        REAL / "images",
        tmp_path / "out",
        IngestOptions(min_label_count=75),
    )
    counts = result.manifest["counts"]
    assert (counts["rows"], counts["images"]) == (8102, 7624)
    assert (counts["repeats"], counts["missing_images"], counts["undecodable"]) == (78, 400, 0)
    assert counts["examples"] + counts["without_labels"] == 7624
    assert 20 <= len(result.manifest["labels"]["kept"]) < 25
    shares = {split: n / counts["examples"] for split, n in result.manifest["examples"].items()}
    assert shares == pytest.approx({"train": 0.70, "eval": 0.15, "test": 0.15}, abs=0.02)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4 << 20  # KiB: 4 GiB
