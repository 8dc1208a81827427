"""Whole ingests of small folders, and of the real posters where they are at hand."""

import csv
import io
import json
import resource
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.errors import PostersError
from components.ingest import IngestOptions, ingest
from components.ingest.decode import check_image, tensorflow_decoder
from components.ingest.images import ImageFile
from components.ingest.split import split_of

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "data" / "posters"
OPTIONS = IngestOptions(min_label_count=2, max_rejected_share=1.0)
HEADER = ["imdbId", "Imdb Link", "Title", "IMDB Score", "Genre", "Poster"]


def picture(seed=0, size=(32, 48)):
    """Coloured blocks: every pixel value differs from its neighbours' blocks."""
    blocks = np.random.default_rng(seed).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    return Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST)


def encode(image, form, **options):
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_png():
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def with_wrong_checksum(png):
    data = png.index(b"IDAT")
    (length,) = struct.unpack(">I", png[data - 4 : data])
    end = data + 4 + length
    return png[:end] + b"\0\0\0\0" + png[end + 4 :]


RGB = picture()
JPEG = encode(RGB, "JPEG")
PNG = encode(RGB, "PNG")
DEEP = Image.fromarray(np.random.default_rng(1).integers(0, 65536, (9, 7)).astype(np.uint16))
TURNED = Image.Exif()
TURNED[0x0112] = 6

#: Odd files that are stored as they came.
STORED = {
    "cmyk.jpg": encode(RGB.convert("CMYK"), "JPEG"),
    "grey.jpg": encode(RGB.convert("L"), "JPEG"),
    "progressive.jpg": encode(RGB, "JPEG", progressive=True),
    "turned.jpg": encode(RGB, "JPEG", exif=TURNED),
    "tail.jpg": JPEG + b"something after the end",
    "several.jpg": encode(RGB, "MPO", save_all=True, append_images=[picture(1)]),
    "dot.jpg": encode(picture(2, (1, 1)), "JPEG"),
    "deep.png": encode(DEEP, "PNG"),
    "palette.png": encode(RGB.convert("P"), "PNG"),
    "alpha.png": encode(RGB.convert("RGBA"), "PNG"),
    "grey-alpha.png": encode(RGB.convert("LA"), "PNG"),
    "line-art.png": encode(RGB.convert("1"), "PNG"),
    "still.gif": encode(RGB, "GIF"),
    "animated.jpg": encode(RGB, "GIF", save_all=True, append_images=[picture(3)]),
    "bitmap.bmp": encode(RGB, "BMP"),
    "grey.bmp": encode(RGB.convert("L"), "BMP"),
    "alpha.bmp": encode(RGB.convert("RGBA"), "BMP"),
    "png-named.jpg": PNG,
}

#: Files that are rejected, and why.
BROKEN = {
    "empty.jpg": (b"", "empty_file"),
    "html.jpg": (b"<html>404 Not Found</html>", "not_an_image"),
    "text.bmp": (b"BMW is no bitmap", "undecodable"),
    "half.jpg": (JPEG[: len(JPEG) // 2], "truncated"),
    "no-end.jpg": (JPEG[:-2], "truncated"),
    "half.png": (PNG[: len(PNG) // 2], "truncated"),
    "half.gif": (STORED["still.gif"][:-400], "truncated"),
    "head.jpg": (JPEG[:8], "truncated"),
    "checksum.png": (with_wrong_checksum(PNG), "undecodable"),
    "no-end.png": (PNG[:-12], "undecodable"),
    "webp.jpg": (encode(RGB, "WEBP"), "unsupported_format"),
    "tiff.jpg": (encode(RGB, "TIFF"), "unsupported_format"),
    "palette.bmp": (encode(RGB.convert("P"), "BMP"), "unsupported_format"),
    "line-art.bmp": (encode(RGB.convert("1"), "BMP"), "unsupported_format"),
    "huge.png": (huge_png(), "too_large"),
}


def write_table(path, rows):
    """Writes rows of (id, title, labels) in the public file's form."""
    with path.open("w", encoding="iso-8859-1", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows([i, f"http://x/{i}", title, "", labels, ""] for i, title, labels in rows)


@pytest.fixture
def source(tmp_path):
    """A table and a folder with 40 images of two labels; returns their paths and the rows."""
    images = tmp_path / "images"
    images.mkdir()
    rows = []
    for number in range(40):
        (images / f"{number:03d}.jpg").write_bytes(encode(picture(number), "JPEG"))
        labels = ("Drama|Comedy", "Drama", "Comedy|Drama|Comedy")[number % 3]
        rows.append((f"{number:03d}", f"Film {number} ({1950 + number})", labels))
    table = tmp_path / "films.csv"
    write_table(table, rows)
    return table, images, rows


def read_records(span, split):
    """The span's examples of one split, as `parse_example` sees them."""
    import tensorflow as tf

    files = sorted(str(file) for file in (span / split).glob("data-*"))
    spec = {
        "poster": tf.io.FixedLenFeature([], tf.string),
        "genres": tf.io.RaggedFeature(tf.string),
        "imdb_id": tf.io.FixedLenFeature([], tf.string),
        "title": tf.io.RaggedFeature(tf.string),
        "year": tf.io.RaggedFeature(tf.int64),
    }
    records = [record.numpy() for record in tf.data.TFRecordDataset(files)]
    columns = {
        name: value.to_list() if isinstance(value, tf.RaggedTensor) else list(value.numpy())
        for name, value in tf.io.parse_example(records, spec).items()
    }
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def read_all(span):
    return {
        example["imdb_id"].decode(): {**example, "split": split}
        for split in ("train", "eval", "test")
        for example in read_records(span, split)
    }


def read_rejected(span):
    with (span / "rejected.csv").open(newline="", encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def folder_content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_odd_files_are_stored_and_broken_ones_rejected(source, tmp_path):
    table, images, rows = source
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(JPEG)
    content_of = {**STORED, **{name: content for name, (content, _) in BROKEN.items()}}
    files = {f"odd-{index}": name for index, name in enumerate(content_of)}
    for identifier, name in files.items():
        (images / identifier).with_suffix(Path(name).suffix).write_bytes(content_of[name])
        rows.append((f" {identifier}\t", "Odd", "Drama"))
    (images / "folder.jpg").mkdir()
    rows += [("folder", "", "Drama"), ("../outside", "", "Drama"), ("gone", "", "Drama")]
    write_table(table, rows)

    result = ingest(table, images, tmp_path / "out", OPTIONS)

    examples = read_all(result.folder)
    rejected = read_rejected(result.folder)
    for identifier, name in files.items():
        if name in STORED:
            assert examples[identifier]["poster"] == STORED[name], name
        else:
            row = rejected[identifier]
            assert row["reason"] == BROKEN[name][1], (name, row)
            assert row["detail"].startswith(f"images/{identifier}{Path(name).suffix}: ")
            assert row["source"].startswith("films.csv:")
    assert rejected["folder"]["reason"] == "not_a_file"
    assert rejected["../outside"]["reason"] == rejected["gone"]["reason"] == "missing_image"
    assert len(examples) == 40 + len(STORED)
    assert result.manifest["counts"]["undecodable"] == len(BROKEN) + 1
    assert outside.read_bytes() == JPEG


@pytest.mark.parametrize("name", STORED)
def test_tensorflow_sees_what_pillow_sees(name, tmp_path):
    import tensorflow as tf

    content = STORED[name]
    pixels = tf.io.decode_image(content, channels=3, expand_animations=False).numpy()
    with Image.open(io.BytesIO(content)) as image:
        if image.mode.startswith("I"):  # Pillow clips 16 bits; TensorFlow keeps the upper 8
            seen = np.repeat(np.array(image)[:, :, None] >> 8, 3, axis=2)
        else:
            seen = np.array(image.convert("RGB"))
    # JPEG decoders may differ in how they smooth colours at the edge of a block.
    assert np.abs(pixels.astype(int) - seen).mean() < 3


def test_nothing_passes_that_tensorflow_cannot_decode(tmp_path):
    """Cuts, flips and overwrites: whatever passes the check, `decode_image` takes."""
    import tensorflow as tf

    random = np.random.default_rng(5)
    path = tmp_path / "1.jpg"
    passed = 0
    with tensorflow_decoder() as decode:
        for index in range(300):
            content = bytearray(list(STORED.values())[index % len(STORED)])
            start = int(random.integers(2, len(content)))
            if index % 2:
                content[start : start + 3] = random.bytes(3)
            else:
                del content[start:]
            path.write_bytes(content)
            check = check_image(ImageFile(path, len(content), True), 1_000_000, decode)
            if check.reason is None:
                passed += 1
                tf.io.decode_image(bytes(content), channels=3, expand_animations=False)
    assert passed > 20


def test_examples_hold_the_rows_and_the_files_bytes(source, tmp_path):
    table, images, rows = source
    rows += [("040", "", "Rare|Drama"), ("041", "Sîn", "Drama"), ("042", "A (1999)", "Rare|Rarer")]
    for identifier in ("040", "041", "042"):
        (images / f"{identifier}.jpg").write_bytes(JPEG)
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
    assert read_rejected(result.folder)["042"]["reason"] == "no_label_left"


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
    sizes = [shard["examples"] for shard in shards]
    assert max(sizes) - min(sizes) <= 1


def test_the_same_source_gives_the_same_bytes_whatever_the_tables_order(source, tmp_path):
    table, images, rows = source
    first = ingest(table, images, tmp_path / "first", OPTIONS)
    second = ingest(table, images, tmp_path / "second", OPTIONS)
    assert folder_content(first.folder) == folder_content(second.folder)
    write_table(table, reversed(rows))
    third = ingest(table, images, tmp_path / "third", OPTIONS)
    assert third.manifest["shards"] == first.manifest["shards"]


def test_more_rows_move_nothing_to_another_split(source, tmp_path):
    table, images, rows = source
    before = read_all(ingest(table, images, tmp_path / "first", OPTIONS).folder)
    for number in range(40, 60):
        (images / f"{number:03d}.jpg").write_bytes(JPEG)
        rows.insert(0, (f"{number:03d}", "", "Drama"))
    write_table(table, rows)
    after = read_all(ingest(table, images, tmp_path / "second", OPTIONS).folder)
    assert {i: example["split"] for i, example in before.items()}.items() <= {
        i: example["split"] for i, example in after.items()
    }.items()


def test_again_does_no_work(source, tmp_path):
    table, images, _ = source
    first = ingest(table, images, tmp_path / "out", OPTIONS)
    before = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")}
    calls = []
    second = ingest(table, images, tmp_path / "out", OPTIONS, lambda *call: calls.append(call))
    assert (first.already_done, second.already_done) == (False, True)
    assert second.manifest == first.manifest
    assert calls == []
    assert {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")} == before


def test_another_source_or_other_options_are_refused(source, tmp_path):
    table, images, rows = source
    out = tmp_path / "out"
    before = folder_content(ingest(table, images, out, OPTIONS).folder)
    with pytest.raises(PostersError, match=r"ingest\.min_label_count was 2, is 3.*another --out"):
        ingest(table, images, out, IngestOptions(min_label_count=3, max_rejected_share=1.0))
    (images / "999.jpg").write_bytes(JPEG)
    with pytest.raises(PostersError, match=r"the images are others \(40 files then, 41 now\)"):
        ingest(table, images, out, OPTIONS)
    write_table(table, rows[:-1])
    with pytest.raises(PostersError, match=r"the CSV is another; .*choose another --out"):
        ingest(table, images, out, OPTIONS)
    assert folder_content(out / "span-1") == before


def test_a_damaged_or_foreign_span_is_refused(source, tmp_path):
    table, images, _ = source
    span = ingest(table, images, tmp_path / "out", OPTIONS).folder
    shard = next((span / "train").iterdir())
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(PostersError, match="is damaged: a shard's size"):
        ingest(table, images, tmp_path / "out", OPTIONS)
    (span / "manifest.json").write_text("[]")
    with pytest.raises(PostersError, match="not a span that ingest wrote, or is damaged"):
        ingest(table, images, tmp_path / "out", OPTIONS)
    (tmp_path / "other" / "span-1").mkdir(parents=True)
    assert not ingest(table, images, tmp_path / "other", OPTIONS).already_done


def test_progress_rises_and_ends_at_the_number_of_images_found(source, tmp_path):
    table, images, rows = source
    (images / "040.jpg").write_bytes(b"")
    write_table(table, [*rows, ("040", "", "Drama"), ("041", "", "Drama")])
    calls = []
    ingest(table, images, tmp_path / "out", OPTIONS, lambda *call: calls.append(call))
    done = [call[0] for call in calls]
    assert done == sorted(done)
    assert calls[-1] == (41, 41)
    assert {total for _, total in calls} == {41}


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


def test_no_table(source, tmp_path):
    table, _, _ = source
    table.unlink()
    refuse(source, tmp_path, r"cannot read the CSV .*films\.csv: No such file")


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


def test_too_many_broken_images(source, tmp_path):
    _, images, _ = source
    for number in range(7):
        (images / f"{number:03d}.jpg").write_bytes(b"<html>")
    match = (
        r"(?s)7 of 40 images in .*images cannot be decoded, above ingest\.max_rejected_share = "
        r"0\.05; .*line 2 \(id 000\): not_an_image: .*000\.jpg: .*and 2 more"
    )
    refuse(source, tmp_path, match, IngestOptions(min_label_count=2))


def test_too_many_unreadable_rows(source, tmp_path):
    table, _, rows = source
    write_table(table, [("", "", "Drama")] * 3 + rows)
    refuse(source, tmp_path, r"3 of 43 rows of .*cannot be read", IngestOptions(min_label_count=2))


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
    with pytest.raises(PostersError, match=r"cannot write .*out/span-1: .*out: File exists"):
        ingest(table, images, tmp_path / "out", OPTIONS)
    assert (tmp_path / "out").read_text() == "mine"


def test_a_full_disk(source, tmp_path, monkeypatch):
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full is not here to stand for a full disk")
    from components.ingest import records

    write_shard = records._write_shard

    def to_full_disk(path, *rest):
        path.symlink_to("/dev/full")
        write_shard(path, *rest)

    monkeypatch.setattr(records, "_write_shard", to_full_disk)
    refuse(source, tmp_path, r"cannot write records to .*No space left on device; nothing was pub")


def test_another_ingest_that_publishes_first(source, tmp_path):
    table, images, _ = source

    def overtake(done, total):
        if done == 30:
            ingest(table, images, tmp_path / "out", OPTIONS)

    with pytest.raises(PostersError, match=r"cannot write .*span-1: .*not empty"):
        ingest(table, images, tmp_path / "out", OPTIONS, overtake)
    assert ingest(table, images, tmp_path / "out", OPTIONS).already_done
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["span-1"]


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
    assert time.monotonic() - start < 60
    counts = result.manifest["counts"]
    assert (counts["rows"], counts["images"]) == (8102, 7624)
    assert (counts["repeats"], counts["missing_images"], counts["undecodable"]) == (78, 400, 0)
    assert counts["examples"] + counts["without_labels"] == 7624
    assert 20 <= len(result.manifest["labels"]["kept"]) < 25
    shares = {split: n / counts["examples"] for split, n in result.manifest["examples"].items()}
    assert shares == pytest.approx({"train": 0.70, "eval": 0.15, "test": 0.15}, abs=0.02)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4 << 20  # KiB: 4 GiB
