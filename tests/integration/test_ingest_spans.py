"""Spans: the next one, the same one again, two at once, and a killed one."""

import dataclasses
import datetime
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from components.errors import PostersError
from components.features import Features
from components.ingest import IngestOptions, ingest, spans
from tests.ingest_sources import (
    OPTIONS,
    ROOT,
    encode,
    folder_content,
    make_source,
    picture,
    read_all,
    read_index,
    read_rejected,
    write_table,
)

_CHILD = """
import sys
from pathlib import Path
from components.ingest import IngestOptions, ingest
def progress(done, total):
    print(done, flush=True)
table, images, out = sys.argv[1:]
options = IngestOptions(min_label_count=2, max_rejected_share=1.0)
result = ingest(table, images, Path(out), options, progress)
print("published", flush=True)
"""


@pytest.fixture
def source(tmp_path):
    return make_source(tmp_path)


def grow(source, numbers, labels="Drama|Comedy"):
    """Adds images and puts their rows first."""
    table, images, rows = source
    for number in numbers:
        (images / f"{number:03d}.jpg").write_bytes(encode(picture(number)))
        rows.insert(0, (f"{number:03d}", "", labels))
    write_table(table, rows)


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


def test_a_later_span_holds_what_is_new_and_moves_nothing(source, tmp_path):
    table, images, _ = source
    out = tmp_path / "out"
    first = ingest(table, images, out, OPTIONS)
    before = folder_content(first.folder)
    grow(source, range(40, 80))
    second = ingest(table, images, out, OPTIONS)
    assert (second.folder.name, second.manifest["span"]) == ("span-2", 2)
    assert sorted(read_all(second.folder)) == [f"{number:03d}" for number in range(40, 80)]
    assert second.manifest["counts"]["known"] == 40
    assert folder_content(first.folder) == before
    assert ingest(table, images, out, OPTIONS).already_done
    assert sorted(path.name for path in out.iterdir()) == ["span-1", "span-2"]


@pytest.mark.parametrize("earlier", [9, 10, 99, 100])
def test_spans_are_numbered_by_value(source, tmp_path, earlier):
    table, images, _ = source
    ingest(table, images, tmp_path / "out", OPTIONS, span=earlier)
    grow(source, range(40, 80))
    result = ingest(table, images, tmp_path / "out", OPTIONS)
    assert result.folder.name == f"span-{earlier + 1}"


def test_the_vocabulary_stays_and_new_labels_are_reported(source, tmp_path):
    table, images, _ = source
    first = ingest(table, images, tmp_path / "out", OPTIONS)
    grow(source, range(40, 80), "Western|Drama")
    grow(source, range(80, 84), "Western")
    second = ingest(table, images, tmp_path / "out", OPTIONS)
    vocabularies = [(one.folder / "vocabulary.txt").read_bytes() for one in (first, second)]
    assert vocabularies[0] == vocabularies[1]
    assert second.manifest["labels"]["new"] == {"Western": 44}
    assert second.manifest["rejected"] == {"no_label_left": 4}
    assert {label for e in read_all(second.folder).values() for label in e["genres"]} == {b"Drama"}


def test_the_vocabulary_grows_at_its_end_by_what_all_spans_have(source, tmp_path):
    table, images, _ = source
    out = tmp_path / "out"
    options = dataclasses.replace(OPTIONS, min_label_count=8)
    labels = ["Drama", "Comedy"]

    def vocabulary(span):
        return (span.folder / "vocabulary.txt").read_text().split()

    def others(span):
        return {
            identifier: [label.decode() for label in example["other_genres"]]
            for identifier, example in read_all(span.folder).items()
            if example["other_genres"]
        }

    first = ingest(table, images, out, options)
    grow(source, range(40, 56), "Western|Drama")
    grow(source, range(56, 60), "News|Western|Comedy")
    second = ingest(table, images, out, options)
    assert (vocabulary(first), vocabulary(second)) == (labels, labels)
    assert others(first) == {}
    assert set(others(second)) == {f"{number:03d}" for number in range(40, 60)}
    western = second.manifest["labels"]["others"]["Western"]
    assert (sum(western.values()), western["train"] >= 8) == (20, True)
    before = [folder_content(span.folder) for span in (first, second)]
    grow(source, range(60, 80), "News|Drama")
    growing = dataclasses.replace(options, grow_vocabulary=True)
    third = ingest(table, images, out, growing)
    # Most of Western's examples lie in the span before; none of either moves Drama or Comedy.
    added = vocabulary(third)[2:]
    assert vocabulary(third)[:2] == labels
    assert third.manifest["labels"]["added"] == added
    assert added == ["News", "Western"]
    assert {label for e in read_all(third.folder).values() for label in e["genres"]} == {
        b"Drama",
        b"News",
    }
    assert [folder_content(span.folder) for span in (first, second)] == before
    # Later spans begin where this one ended, whether they may grow or not.
    grow(source, range(80, 100), "Western")
    fourth = ingest(table, images, out, options)
    assert vocabulary(fourth) == vocabulary(third)
    assert fourth.manifest["examples"] == fourth.manifest["labels"]["kept"]["Western"]
    # A source that is there is there, with the option or without.
    assert ingest(table, images, out, growing).already_done


def test_spans_from_before_there_were_other_labels_go_on(source, tmp_path):
    table, images, _ = source
    first = ingest(table, images, tmp_path / "out", OPTIONS)
    path = first.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["options"]["features"]["other_labels"]
    del manifest["labels"]["others"], manifest["date"]
    path.write_text(json.dumps(manifest))
    assert ingest(table, images, tmp_path / "out", OPTIONS).already_done
    grow(source, range(40, 80), "Western|Drama")
    assert ingest(table, images, tmp_path / "out", OPTIONS).manifest["span"] == 2


def test_a_span_has_the_date_that_it_was_given_and_keeps_it(source, tmp_path):
    table, images, _ = source
    day = datetime.date(2026, 1, 31)
    first = ingest(table, images, tmp_path / "out", OPTIONS, date=day)
    assert first.manifest["date"] == "2026-01-31"
    again = ingest(table, images, tmp_path / "out", OPTIONS, date=datetime.date(2026, 2, 1))
    assert (again.already_done, again.manifest["date"]) == (True, "2026-01-31")
    assert again.note == "it has the date 2026-01-31, which stays: spans do not change"
    assert ingest(table, images, tmp_path / "out", OPTIONS, date=day).note == ""
    before = datetime.datetime.now(datetime.timezone.utc).date()
    grow(source, range(40, 80))
    date = datetime.date.fromisoformat(
        ingest(table, images, tmp_path / "out", OPTIONS).manifest["date"]
    )
    assert before <= date <= datetime.datetime.now(datetime.timezone.utc).date()


def test_a_later_span_may_be_too_small_for_every_split(source, tmp_path):
    table, images, _ = source
    ingest(table, images, tmp_path / "out", OPTIONS)
    grow(source, range(40, 42))
    second = ingest(table, images, tmp_path / "out", OPTIONS)
    examples = second.manifest["examples"]
    assert (sum(examples.values()), 0 in examples.values()) == (2, True)
    assert {shard["name"].partition("/")[0] for shard in second.manifest["shards"]} == {
        split for split, count in examples.items() if count
    }
    assert sorted(read_index(second.folder)) == ["040", "041"]
    # The manifest counts it; the next span knows it.
    assert ingest(table, images, tmp_path / "out", OPTIONS).already_done


def test_published_images_that_changed_are_reported_and_stay(source, tmp_path):
    table, images, rows = source
    out = tmp_path / "out"
    ingest(table, images, out, OPTIONS)
    rows[3] = ("003", "", "Comedy")
    (images / "004.jpg").write_bytes(encode(picture(999)))
    write_table(table, rows)
    nothing_new = ingest(table, images, out, OPTIONS)
    assert nothing_new.already_done
    assert "38 of its ids are published as they are, 2 otherwise" in nothing_new.note
    rejected = read_rejected(out / "rejected-span-2.csv")
    assert {i: row["reason"] for i, row in rejected.items()} == {
        "003": "changed_labels",
        "004": "changed_image",
    }
    grow(source, range(40, 80))
    second = ingest(table, images, out, OPTIONS)
    assert second.manifest["counts"]["changed"] == 2
    assert sorted(path.name for path in out.iterdir()) == ["span-1", "span-2"]


def test_a_number_may_be_left_out_but_not_used_later(source, tmp_path):
    table, images, _ = source
    out = tmp_path / "out"
    assert ingest(table, images, out, OPTIONS, span=5).folder.name == "span-5"
    grow(source, range(40, 80))
    with pytest.raises(PostersError, match=r"--span 3: span-5 is there.*to write span-6"):
        ingest(table, images, out, OPTIONS, span=3)
    assert ingest(table, images, out, OPTIONS).folder.name == "span-6"


def test_what_could_not_be_taken_is_listed_though_nothing_else_is_new(source, tmp_path):
    table, images, rows = source
    out = tmp_path / "out"
    ingest(table, images, out, OPTIONS)
    for identifier, label in (("100", "Unheard of"), ("101", "Drama")):
        rows.append((identifier, "", label))
        (images / f"{identifier}.jpg").write_bytes(encode(picture(int(identifier))))
    (images / "101.jpg").write_bytes(b"<html>")
    write_table(table, rows)
    nothing_new = ingest(table, images, out, OPTIONS)
    kept = out / "rejected-span-2.csv"
    assert f"listed in {kept}: 1 no_label_left, 1 not_an_image" in nothing_new.note
    assert set(read_rejected(kept)) == {"100", "101"}


def test_the_same_source_with_other_options_is_refused(source, tmp_path):
    table, images, rows = source
    out = tmp_path / "out"
    before = folder_content(ingest(table, images, out, OPTIONS).folder)
    with pytest.raises(PostersError, match=r"ingest\.min_label_count was 2, is 3.*another --out"):
        ingest(table, images, out, IngestOptions(min_label_count=3))
    patient = IngestOptions(min_label_count=2, max_rejected_share=0.5, download_tries=9)
    assert ingest(table, images, out, patient).already_done
    write_table(table, rows[:-1])
    assert "nothing new: 39 of its ids" in ingest(table, images, out, OPTIONS).note
    with pytest.raises(PostersError, match=r"span-1 is there already, and not from this source"):
        ingest(table, images, out, OPTIONS, span=1)
    renamed = IngestOptions(min_label_count=2, features=Features(image="picture"))
    with pytest.raises(PostersError, match=r"ingest\.features: .*span-1 has"):
        ingest(table, images, out, renamed)
    with pytest.raises(PostersError, match="--span 0: spans are numbered from 1"):
        ingest(table, images, out, OPTIONS, span=0)
    assert folder_content(out / "span-1") == before


def test_a_damaged_or_foreign_span_is_refused(source, tmp_path):
    table, images, _ = source
    span = ingest(table, images, tmp_path / "out", OPTIONS).folder
    shard = next((span / "train").iterdir())
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(PostersError, match="is damaged: a file's size"):
        ingest(table, images, tmp_path / "out", OPTIONS)
    (span / "manifest.json").write_text("[]")
    with pytest.raises(PostersError, match="not a span that ingest wrote, or is damaged"):
        ingest(table, images, tmp_path / "out", OPTIONS)
    (tmp_path / "other" / "span-1").mkdir(parents=True)
    assert not ingest(table, images, tmp_path / "other", OPTIONS).already_done


def test_a_span_of_another_format_is_refused(source, tmp_path):
    table, images, _ = source
    span = ingest(table, images, tmp_path / "out", OPTIONS).folder
    manifest = json.loads((span / "manifest.json").read_text())
    (span / "manifest.json").write_text(json.dumps({**manifest, "format_version": 1}))
    with pytest.raises(PostersError, match="another version of ingest"):
        ingest(table, images, tmp_path / "out", OPTIONS)


def test_a_second_ingest_at_the_same_time_is_refused(source, tmp_path):
    table, images, _ = source
    refusals = []

    def overtake(done, total):
        if done == 30 and not refusals:
            with pytest.raises(PostersError) as caught:
                ingest(table, images, tmp_path / "out", OPTIONS)
            refusals.append(str(caught.value))

    assert not ingest(table, images, tmp_path / "out", OPTIONS, overtake).already_done
    assert f"another ingest is writing to {tmp_path / 'out'} (process {os.getpid()})" in refusals[0]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["span-1"]


def start(source, out):
    table, images, _ = source
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", _CHILD, str(table), str(images), str(out)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_two_processes_at_once_publish_one_whole_span(source, tmp_path):
    children = [start(source, tmp_path / "out") for _ in range(2)]
    outputs = [child.communicate()[0] for child in children]
    assert any("published" in output for output in outputs)
    assert ingest(*source[:2], tmp_path / "out", OPTIONS).already_done
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["span-1"]


@pytest.mark.parametrize("at", [0, 5, 25, 39])
def test_a_killed_ingest_leaves_what_was_published_and_the_next_finishes(source, tmp_path, at):
    table, images, _ = source
    out = tmp_path / "out"
    ingest(table, images, out, OPTIONS)
    before = folder_content(out)
    grow(source, range(40, 80))
    child = start(source, out)
    for line in child.stdout:
        if int(line) - 40 >= at:  # the forty known rows are through at once
            break
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    assert {path.name for path in out.iterdir() if path.name[0] != "."} == {"span-1"}
    assert (
        folder_content(out / "span-1").items()
        <= {name.partition("/")[2]: content for name, content in before.items()}.items()
    )
    finished = ingest(table, images, out, OPTIONS)
    assert finished.folder.name == "span-2" and not finished.already_done
    assert len(read_index(finished.folder)) == 40
    assert sorted(path.name for path in out.iterdir()) == ["span-1", "span-2"]


def test_the_lock_is_let_go_with_the_process(tmp_path):
    code = "import sys, pathlib, time\nfrom components.ingest import spans\n"
    code += "with spans.locked(pathlib.Path(sys.argv[1])):\n print(1, flush=True)\n time.sleep(99)"
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    )
    child.stdout.readline()
    with (
        pytest.raises(PostersError, match=f"process {child.pid}"),
        spans.locked(tmp_path),
    ):
        pass
    child.kill()
    child.communicate()
    scratch = tmp_path / ".span-3.abcd"
    scratch.mkdir()
    deadline = time.monotonic() + 60
    while True:
        try:
            with spans.locked(tmp_path):
                assert not scratch.exists()
            break
        except PostersError:
            assert time.monotonic() < deadline
    assert list(tmp_path.iterdir()) == []
