"""What `posters data` shows of small spans, whole ones and damaged ones."""

import csv
import datetime
import json
import re
from html.parser import HTMLParser

import pytest

from components.dataset import facts, lists, page
from components.features import Features
from pipeline.cli import main
from tests import spans
from tests.examples import encode, example, picture, write_records

SCRIPT = "<script>alert(1)</script>"
DAY = datetime.date(2020, 1, 2)
MANIFEST = {
    "counts": {"rows": 207, "examples": 200, "repeats": 4},
    "rejected": {"truncated": 3},
    "examples": spans.SIZES,
    "labels": {"kept": {}, "dropped": {"News": 2}},
    "a key of later times": {"anything": [1]},
}


def _write(root, **changes):
    folder = spans.write_span(root, 1, spans.clean())
    (folder / "manifest.json").write_text(json.dumps({**MANIFEST, **changes}))
    with (folder / "rejected.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "source", "reason", "detail"])
        writer.writerows(
            [f"t{row}", f"table.csv:{row}", "truncated", "cut off"] for row in range(3)
        )
    return folder


def _read(folder):
    return facts.read(folder, 1, ("train", "eval", "test"), Features(), lambda _: None)


class _Page(HTMLParser):
    """Collects the tags, and all text that a reader sees."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.links, self.text = [], [], []
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [
            value for name, value in attributes if name in ("src", "href", "srcset", "data")
        ]

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return _read(_write(tmp_path_factory.mktemp("whole")))


def test_everything_is_counted(whole):
    assert whole.notes == []
    assert whole.examples == spans.SIZES
    assert whole.total == 200
    assert whole.labels["train"] == {label: 45 for label in spans.VOCABULARY}
    assert whole.labels_each == {1: 100, 2: 100}
    assert whole.together["Comedy", "Drama"] == 25
    assert sum(whole.together.values()) == 100
    assert whole.sizes == {(40, 60): 200}
    assert whole.formats == {"JPEG": 200}
    assert sum(whole.decades.values()) == 200
    assert whole.lists.rejected == {"truncated": 3}
    assert whole.lists.rejects["truncated"][0] == lists.Reject("t0", "table.csv:0", "cut off")


def test_the_sheet_shows_no_example_twice_and_is_the_same_every_time(whole):
    ids = [picture.id for pictures in whole.sheet.values() for picture in pictures]
    assert len(ids) == len(set(ids)) == 4 * 8
    for label, pictures in whole.sheet.items():
        assert all(label in picture.labels for picture in pictures)
    again = _read(whole.folder).sheet
    assert [p.id for pictures in again.values() for p in pictures] == ids


def test_the_page_says_it_all_and_needs_nothing_else(whole):
    content = page.render(whole, DAY)
    shown = _Page(content)
    text = re.sub(r"\s+", " ", " ".join(shown.text))
    for word in ["200", "120", "War", "40 x 60", "truncated", "table.csv:0", "cut off", "News"]:
        assert word in text
    assert "Film 1" in text
    assert "2020-01-02" in text
    assert shown.links
    assert all(link.startswith("data:image/jpeg;base64,") for link in shown.links)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(shown.tags)
    assert not re.search(r"https?:|//\w|url\(|@import", content)
    assert "default-src 'none'" in content
    assert "prefers-color-scheme: dark" in content
    assert "@media print" in content


@pytest.mark.parametrize(
    "text", [SCRIPT, '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "a\x1b[31mb\x00"]
)
def test_somebodys_text_stays_text(tmp_path, text):
    folder = tmp_path / "<b>root</b>" / "span-1"
    image = encode(picture(0))
    records = [example(text, image, [text], title=text)] * 2
    for split in ("train", "eval", "test"):
        write_records(folder / split / "data-00000-of-00001.tfrecord", records)
    (folder / "vocabulary.txt").write_text(f"{text}\n")
    (folder / "manifest.json").write_text(
        json.dumps({"counts": {text: 1}, "rejected": {text: 1}, "labels": {"dropped": {text: 2}}})
    )
    with (folder / "rejected.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["id", "source", "reason", "detail"], [text.replace("\0", "")] * 4]
        )
    content = page.render(_read(folder), DAY)
    shown = _Page(content)
    assert {"script", "b"} & set(shown.tags) == {"b"}  # the tiles' own
    assert all(link.startswith("data:") for link in shown.links)
    assert "<b>root" not in content
    assert "onerror=" not in re.sub(r"&lt;img.*?&gt;", "", content)
    assert "\x1b" not in content and "\x00" not in content
    if "7 * 7" in text:
        assert "49" not in " ".join(shown.text)


def _without(name):
    return lambda folder: (folder / name).unlink()


def _with(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def _cut_shard(folder):
    shard = folder / "train" / "data-00000-of-00001.tfrecord"
    shard.write_bytes(shard.read_bytes()[:-100])


def _with_no_example(folder):
    write_records(folder / "test" / "data-00000-of-00001.tfrecord", [b"no example at all"])


@pytest.mark.parametrize(
    ("damage", "note"),
    [
        (_without("manifest.json"), "manifest.json is missing"),
        (_with("manifest.json", b"{"), "manifest.json cannot be read"),
        (_with("manifest.json", b"[]"), "manifest.json cannot be read"),
        (_with("manifest.json", b"{}"), "manifest.json has no counts"),
        (_without("rejected.csv"), "rejected.csv is missing"),
        (_with("rejected.csv", b"id\n\xff\xfe"), "rejected.csv cannot"),
        (_without("vocabulary.txt"), "vocabulary.txt is missing"),
        (_with("vocabulary.txt", b"Drama\nNews\n"), "not in the vocabulary"),
        (_without("test/data-00000-of-00001.tfrecord"), "The test split has no shard"),
        (_with_no_example, "test/data-00000-of-00001.tfrecord is damaged after"),
        (_cut_shard, "train/data-00000-of-00001.tfrecord is damaged after"),
    ],
)
def test_what_is_missing_is_said(tmp_path, damage, note):
    folder = _write(tmp_path)
    damage(folder)
    found = _read(folder)
    assert any(note in said for said in found.notes), found.notes
    assert note in " ".join(_Page(page.render(found, DAY)).text)


def test_a_manifest_that_does_not_fit_is_noted(tmp_path):
    found = _read(_write(tmp_path, examples={"train": 121}, rejected={"truncated": 4}))
    assert "The manifest says 121 train examples; the shards hold 120." in found.notes
    assert any("counts 4 rejected rows, rejected.csv lists 3" in note for note in found.notes)


def test_broken_pictures_and_repeated_ids_are_noted(tmp_path):
    folder = _write(tmp_path)
    records = [example("x", b"no image", ["Drama"]), example("x", encode(picture(1)), ["War"])]
    write_records(folder / "test" / "data-00001-of-00002.tfrecord", records)
    found = _read(folder)
    assert any("1 image(s) cannot be read, such as of x" in note for note in found.notes)
    assert "1 example(s) have an id that another one has." in found.notes
    assert found.decades[None] == 2
    page.render(found, DAY)


def test_an_empty_span_can_be_shown(tmp_path):
    (tmp_path / "span-1").mkdir()
    found = _read(tmp_path / "span-1")
    assert found.total == 0
    assert "No picture can be shown" in page.render(found, DAY)


def test_the_command_shows_a_span_and_writes_a_page(tmp_path, capsys):
    _write(tmp_path)
    target = tmp_path / "new" / "page.html"
    arguments = ["data", "--config", "sample", "--data-root", str(tmp_path), "--span", "1"]
    assert main.main([*arguments, "--html", str(target)]) == main.OK
    shown = capsys.readouterr().out
    for word in ["200 examples", "War", "3 truncated", "40x60 200", str(target)]:
        assert word in shown
    assert target.read_text().startswith("<!doctype html>")
    assert main.main([*arguments[:-1], "7"]) == main.FAILED
    assert "no span-7; it has 1" in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_an_error(tmp_path, capsys):
    _write(tmp_path)
    (tmp_path / "file").write_text("")
    arguments = ["data", "--config", "sample", "--data-root", str(tmp_path), "--html"]
    for target in (tmp_path / "file" / "page.html", tmp_path):
        assert main.main([*arguments, str(target)]) == main.FAILED
        error = capsys.readouterr().err
        assert f"--html {target} cannot be written" in error
        assert "Traceback" not in error
    assert (tmp_path / "file").read_text() == ""
