"""No leakage: images that look alike land in one split, whatever their ids."""

import io

import pytest
from PIL import Image

from components.ingest import IngestOptions, ingest
from components.ingest.split import split_of
from tests.ingest_sources import (
    OPTIONS,
    REAL,
    encode,
    make_source,
    picture,
    read_all,
    read_index,
    read_rejected,
    write_table,
)


@pytest.fixture
def source(tmp_path):
    table, images, rows = make_source(tmp_path)
    for number in range(40):
        (images / f"{number:03d}.jpg").write_bytes(encode(scene(number)))
    return table, images, rows


def scene(seed):
    """A soft picture with the frequencies of a real one, so that copies of it look alike."""
    return picture(seed).resize((6, 8)).resize((180, 264), Image.Resampling.BICUBIC)


def copy_of(content, number):
    """An image again, in one of several ways that change every byte of it."""
    with Image.open(io.BytesIO(content)) as image:
        image = image.convert("RGB")
        if number % 3 == 0:
            return encode(image, quality=75)
        if number % 3 == 1:
            return encode(image, "PNG")
        size = (image.width * 3 // 4, image.height * 3 // 4)
        return encode(image.resize(size, Image.Resampling.LANCZOS), quality=85)


def other_split(split, start):
    """An id that would land in another split if it were alone."""
    return next(
        str(n) for n in range(start, start + 999) if split_of(str(n), OPTIONS.split_shares) != split
    )


def test_copies_land_beside_their_originals_whatever_their_ids(source, tmp_path):
    table, images, rows = source
    originals = read_all(ingest(table, images, tmp_path / "before", OPTIONS).folder)
    planted = {}
    for number in range(40):
        original = f"{number:03d}"
        copy = other_split(originals[original]["split"], 1000 * (number + 1))
        content = copy_of((images / f"{original}.jpg").read_bytes(), number)
        (images / f"{copy}.jpg").write_bytes(content)
        planted[copy] = original
        rows.insert(0, (copy, "", "Drama"))
    write_table(table, rows)
    result = ingest(table, images, tmp_path / "out", OPTIONS)
    examples = read_all(result.folder)
    for copy, original in planted.items():
        assert examples[copy]["split"] == originals[original]["split"]
        assert examples[original]["split"] == originals[original]["split"]
    assert result.manifest["groups"]["of_several"] == 40
    assert {line["group"] for line in read_index(result.folder).values()} == set(originals)


def test_copies_in_a_later_span_join_the_published_split(source, tmp_path):
    table, images, _ = source
    published = read_all(ingest(table, images, tmp_path / "out", OPTIONS).folder)
    rows, planted = [], {}
    for number in range(40):
        original = f"{number:03d}"
        copy = other_split(published[original]["split"], 1000 * (number + 1))
        content = copy_of((images / f"{original}.jpg").read_bytes(), number)
        (images / f"{copy}.jpg").write_bytes(content)
        planted[copy] = original
        rows.append((copy, "", "Drama"))
    write_table(table, rows)
    later = read_all(ingest(table, images, tmp_path / "out", OPTIONS).folder)
    assert {c: later[c]["split"] for c in planted} == {
        c: published[o]["split"] for c, o in planted.items()
    }


def test_an_image_between_two_splits_is_put_aside(source, tmp_path):
    table, images, rows = source
    # Told apart at first, for only contents are compared; then the option finds them alike.
    alone = IngestOptions(min_label_count=2, max_rejected_share=1.0, max_hash_distance=None)
    for number in range(40, 60):
        (images / f"{number:03d}.jpg").write_bytes(encode(scene(0), quality=number))
        rows.append((f"{number:03d}", "", "Drama"))
    write_table(table, rows)
    first = read_index(ingest(table, images, tmp_path / "out", alone).folder)
    assert len({first[f"{number:03d}"]["split"] for number in range(40, 60)}) > 1
    for number in range(60, 100):
        (images / f"{number:03d}.jpg").write_bytes(encode(scene(number)))
        rows.append((f"{number:03d}", "", "Drama"))
    (images / "100.jpg").write_bytes(encode(scene(0), "PNG"))
    rows.append(("100", "", "Drama"))
    write_table(table, rows)
    second = ingest(table, images, tmp_path / "out", OPTIONS)
    row = read_rejected(second.folder / "rejected.csv")["100"]
    assert row["reason"] == "split_conflict"
    assert "published images of different splits" in row["detail"]
    assert second.manifest["counts"]["split_conflicts"] == 1


def test_growth_alone_moves_nothing_to_another_split(source, tmp_path):
    table, images, rows = source
    before = read_all(ingest(table, images, tmp_path / "first", OPTIONS).folder)
    for number in range(40, 60):
        (images / f"{number:03d}.jpg").write_bytes(encode(scene(number % 7)))
        rows.insert(0, (f"{number:03d}", "", "Drama"))
    write_table(table, rows)
    after = read_all(ingest(table, images, tmp_path / "second", OPTIONS).folder)
    assert {i: example["split"] for i, example in before.items()}.items() <= {
        i: example["split"] for i, example in after.items()
    }.items()


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the real posters are not in {REAL}")
def test_fifty_planted_copies_of_real_posters(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for path in (REAL / "images").iterdir():
        (images / path.name).symlink_to(path)
    originals = sorted(path.stem for path in images.iterdir())[::150][:50]
    table = tmp_path / "MovieGenre.csv"
    text = (REAL / "MovieGenre.csv").read_bytes()
    copies = {}
    for number, original in enumerate(originals):
        copy = f"9{number:08d}"
        content = copy_of((images / f"{original}.jpg").read_bytes(), number)
        (images / f"{copy}.jpg").write_bytes(content)
        copies[copy] = original
        text += f"{copy},,Copy,,Drama|Comedy,\r\n".encode()
    table.write_bytes(text)
    index = read_index(
        ingest(table, images, tmp_path / "out", IngestOptions(min_label_count=1)).folder
    )
    assert {c: index[c]["split"] for c in copies} == {
        c: index[o]["split"] for c, o in copies.items()
    }
    assert {o: index[o]["split"] for o in originals} == {
        o: split_of(o, IngestOptions().split_shares) for o in originals
    }
