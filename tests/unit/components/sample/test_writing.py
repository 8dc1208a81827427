import csv
import itertools
import json
import re
import subprocess
import sys
import time

import pytest
from PIL import Image

from components.errors import PostersError
from components.files import folder_digest
from components.sample import GENRES, drawing, writing
from components.sample.canvas import HEIGHT, WIDTH
from components.sample.writing import write_sample


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    out = tmp_path_factory.mktemp("sample") / "drawn"
    write_sample(out, count=24, seed=7)
    return out


def _rows(folder):
    with (folder / "MovieGenre.csv").open(encoding="iso-8859-1", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_has_the_public_form(sample):
    first = (sample / "MovieGenre.csv").read_bytes().split(b"\n")[0]
    assert first == b"imdbId,Imdb Link,Title,IMDB Score,Genre,Poster"
    rows = _rows(sample)
    assert len(rows) == len({row["imdbId"] for row in rows}) == 24
    for row in rows:
        assert row["Imdb Link"] == f"http://www.imdb.com/title/tt{row['imdbId']}"
        assert re.fullmatch(r".+ \((19|20)\d\d\)", row["Title"])
        assert re.fullmatch(r"\d\.\d", row["IMDB Score"])
        genres = row["Genre"].split("|")
        assert 1 <= len(genres) <= 3
        assert set(genres) <= set(GENRES)


def test_csv_is_latin_1_and_not_utf_8(tmp_path):
    write_sample(tmp_path / "s", count=12, seed=2024)
    content = (tmp_path / "s" / "MovieGenre.csv").read_bytes()
    assert any(byte > 127 for byte in content)
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")


def test_every_row_has_a_whole_jpeg_and_nothing_else_lies_there(sample):
    names = {f"{row['imdbId']}.jpg" for row in _rows(sample)}
    assert {path.name for path in (sample / "images").iterdir()} == names
    for name in names:
        with Image.open(sample / "images" / name) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (WIDTH, HEIGHT))
            image.load()
    assert {path.name for path in sample.iterdir()} == {"MovieGenre.csv", "images", "sample.json"}


def test_same_count_and_seed_give_the_same_bytes(sample, tmp_path):
    write_sample(tmp_path / "again", count=24, seed=7)
    assert folder_digest(tmp_path / "again") == folder_digest(sample)


def test_another_seed_gives_other_posters(sample, tmp_path):
    write_sample(tmp_path / "other", count=4, seed=8)
    ours, theirs = _rows(sample)[:4], _rows(tmp_path / "other")
    assert [row["imdbId"] for row in ours] != [row["imdbId"] for row in theirs]


def test_growth_keeps_the_earlier_posters(sample, tmp_path):
    write_sample(tmp_path / "small", count=9, seed=7)
    small, large = (folder / "MovieGenre.csv" for folder in (tmp_path / "small", sample))
    assert large.read_bytes().startswith(small.read_bytes())
    for path in (tmp_path / "small" / "images").iterdir():
        assert path.read_bytes() == (sample / "images" / path.name).read_bytes()


def test_rerun_does_nothing(sample, monkeypatch):
    monkeypatch.setattr(drawing, "draw_poster", lambda *_: pytest.fail("drew again"))
    write_sample(sample, count=24, seed=7)


@pytest.mark.parametrize(("count", "seed"), [(25, 7), (24, 8)])
def test_another_sample_is_not_overwritten(sample, count, seed):
    before = folder_digest(sample)
    with pytest.raises(PostersError, match="holds another sample"):
        write_sample(sample, count=count, seed=seed)
    assert folder_digest(sample) == before


def test_a_sample_that_lost_posters_is_not_taken_for_whole(tmp_path):
    write_sample(tmp_path / "s", count=3, seed=1)
    next((tmp_path / "s" / "images").iterdir()).unlink()
    with pytest.raises(PostersError, match="with 2 posters"):
        write_sample(tmp_path / "s", count=3, seed=1)


def test_a_foreign_folder_or_file_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("a file")
    for name in ("mine", "file"):
        with pytest.raises(PostersError, match=f"{name} exists and is no sample"):
            write_sample(tmp_path / name, count=2)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_an_empty_folder_is_filled(tmp_path):
    write_sample(tmp_path, count=1)
    assert json.loads((tmp_path / "sample.json").read_text())["count"] == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_failure_midway_leaves_nothing(tmp_path, error):
    def fail(done, total):
        if done == 3:
            raise error

    with pytest.raises(error):
        write_sample(tmp_path / "out", count=5, progress=fail)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PostersError, match=re.escape(str(tmp_path / "file" / "out"))):
        write_sample(tmp_path / "file" / "out", count=1)


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "write_csv", full)
    with pytest.raises(PostersError, match="No space left on device"):
        write_sample(tmp_path / "out", count=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("count", "seed"), [(0, 1), (-5, 1), (3, -1)])
def test_numbers_out_of_range_are_refused(tmp_path, count, seed):
    with pytest.raises(PostersError, match=f"not {count} and {seed}"):
        write_sample(tmp_path / "out", count=count, seed=seed)


def test_progress_counts_every_poster(tmp_path):
    calls = []
    write_sample(tmp_path / "out", count=3, progress=lambda *call: calls.append(call))
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_drawing_loads_neither_tensorflow_nor_tfx():
    code = "import components.sample, sys; print(sorted({'tensorflow', 'tfx'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_posters_are_drawn_fast_enough(tmp_path):
    began = time.process_time()
    write_sample(tmp_path / "out", count=40)
    # 800 take about 7 s of one core; the bound leaves room for a slower one.
    assert (time.process_time() - began) / 40 < 0.04


def test_names_of_images_follow_the_order_of_rows(sample):
    for row in itertools.islice(_rows(sample), 3):
        assert row["Poster"] == f"images/{row['imdbId']}.jpg"
