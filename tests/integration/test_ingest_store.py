"""Whole ingests to a store: a server that speaks Google Cloud Storage, on this machine."""

import json
import os
import signal
import subprocess
import sys
import uuid

import pytest

from components.errors import PostersError
from components.ingest import IngestOptions, claim, conditional, ingest
from components.store_path import StorePath
from pipeline import config, data, windows
from pipeline.cli import main
from tests import folder_store, gcs_server
from tests.ingest_sources import (
    OPTIONS,
    ROOT,
    encode,
    folder_content,
    make_source,
    picture,
    store_content,
    write_table,
)

_CHILD = """
import sys
from components.ingest import IngestOptions, ingest
from components.paths import to_path
from tests import folder_store, gcs_server
gcs_server.skip_credentials()
def progress(done, total):
    print(done, flush=True)
table, images, out = sys.argv[1:]
options = IngestOptions(min_label_count=2, max_rejected_share=1.0)
ingest(table, images, to_path(out), options, progress)
"""


@pytest.fixture(scope="module")
def server():
    process, address = gcs_server.start()
    yield address
    process.terminate()
    process.wait()


@pytest.fixture
def out(server, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server)
    monkeypatch.setattr(claim, "BEAT", 0.2)
    monkeypatch.setattr(claim, "SILENCE", 3.0)
    gcs_server.skip_credentials()
    return StorePath(f"gs://{gcs_server.BUCKET}/{uuid.uuid4().hex}")


@pytest.fixture
def source(tmp_path):
    return make_source(tmp_path)


def grow(source, numbers):
    table, images, rows = source
    for number in numbers:
        (images / f"{number:03d}.jpg").write_bytes(encode(picture(number)))
        rows.append((f"{number:03d}", "", "Drama|Comedy"))
    write_table(table, rows)


def load(out, *overrides):
    return config.load("sample", [f"data_root={out}", *overrides])


def test_a_store_holds_what_a_folder_would(source, tmp_path, out):
    table, images, _ = source
    here, there = tmp_path / "out", out
    local = ingest(table, images, here, OPTIONS)
    remote = ingest(table, images, there, OPTIONS)
    assert remote.folder == there / "span-1"
    assert (remote.manifest, remote.already_done) == (local.manifest, False)
    assert ingest(table, images, there, OPTIONS).already_done
    grow(source, range(40, 80))
    for root in (here, there):
        second = ingest(table, images, root, OPTIONS)
        assert second.manifest["counts"]["known"] == 40
    assert store_content(there) == folder_content(here)
    found = data.find_span(load(out))
    assert (found.number, str(found.folder)) == (2, f"{out}/span-2")
    assert found.labels == tuple(local.manifest["labels"]["kept"])
    assert data.find_folder(load(out), there / "span-1") == (1, there / "span-1")
    window = windows.resolve(load(out, "window=all"))
    assert [str(span.folder) for span in window.spans] == [f"{out}/span-1", f"{out}/span-2"]
    assert [span.manifest for span in window.spans] == [local.manifest, second.manifest]
    with pytest.raises(PostersError, match=r"window: .* has no span-3; it has 1, 2"):
        windows.resolve(load(out, "window=3"))


def test_images_of_a_store_are_read_where_they_are_written(source, tmp_path, out):
    table, images, _ = source
    for path in images.iterdir():
        (out / "images" / path.name).write_bytes(path.read_bytes())
    (out / "films.csv").write_bytes(table.read_bytes())
    remote = ingest(f"{out}/films.csv", f"{out}/images", out / "data", OPTIONS)
    assert remote.manifest == ingest(table, images, tmp_path / "out", OPTIONS).manifest


@pytest.mark.parametrize("at", [0, 39])
def test_a_killed_ingest_leaves_nothing_believed(source, tmp_path, out, at):
    table, images, _ = source
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-c", _CHILD, str(table), str(images), str(out)]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    for line in child.stdout:
        if int(line) >= at:
            break
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    assert store_content(out), "the child was killed before it had written anything"
    with pytest.raises(PostersError, match="holds no span-<N> folder"):
        data.find_span(load(out))
    finished = ingest(table, images, out, OPTIONS)
    assert not finished.already_done
    assert store_content(out / "span-1") == folder_content(
        ingest(table, images, tmp_path / "out", OPTIONS).folder
    )
    assert {name.partition("/")[0] for name in store_content(out)} == {"span-1"}


def test_an_ingest_that_ends_while_it_publishes_leaves_nothing_believed(source, out, monkeypatch):
    table, images, _ = source
    confirm = claim.Claim.confirm
    calls = []

    def interrupt(self):
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        confirm(self)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(claim.Claim, "confirm", interrupt)
        ingest(table, images, out, OPTIONS)
    assert "span-1/train/data-00000-of-00002.tfrecord" in store_content(out)
    with pytest.raises(PostersError, match="holds no span-<N> folder"):
        data.find_span(load(out))
    (out / "span-1" / "train" / "left-over.tfrecord").write_bytes(b"of the killed one")
    result = ingest(table, images, out, OPTIONS)
    names = {shard["name"] for shard in result.manifest["shards"]}
    others = {"index.jsonl", "manifest.json", "rejected.csv", "vocabulary.txt"}
    assert set(store_content(out / "span-1")) == names | others


def test_a_damaged_span_is_refused(source, out):
    table, images, _ = source
    span = ingest(table, images, out, OPTIONS).folder
    (span / "index.jsonl").write_bytes(b"")
    with pytest.raises(PostersError, match="is damaged: a file's size"):
        ingest(table, images, out, OPTIONS)


def test_a_second_ingest_at_the_same_time_is_refused(source, out):
    table, images, _ = source
    refusals = []

    def overtake(done, total):
        if done == 30 and not refusals:
            with pytest.raises(PostersError) as caught:
                ingest(table, images, out, OPTIONS)
            refusals.append(str(caught.value))

    assert not ingest(table, images, out, OPTIONS, overtake).already_done
    assert f"another ingest is writing to {out} (process {os.getpid()} on " in refusals[0]
    assert {name.partition("/")[0] for name in store_content(out)} == {"span-1"}


def test_an_ingest_that_was_taken_for_dead_publishes_nothing(source, out):
    table, images, _ = source

    def take_over(done, total):
        if done == 30:
            (out / ".ingest.lock").write_bytes(json.dumps({"token": "another"}).encode())

    with pytest.raises(PostersError, match=r"another ingest took gs://.* over.*nothing was publ"):
        ingest(table, images, out, OPTIONS, take_over)
    assert json.loads((out / ".ingest.lock").read_bytes()) == {"token": "another"}
    assert set(store_content(out)) == {".ingest.lock"}


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(claim, "BEAT", 0.2)
    monkeypatch.setattr(claim, "SILENCE", 3.0)
    return StorePath(f"{folder_store.SCHEME}://{tmp_path}/store")


def test_a_store_with_folders_holds_what_a_folder_would(source, tmp_path, folders):
    table, images, _ = source
    here = tmp_path / "out"
    for path in ("span-1/train/data-00000-of-00002.tfrecord", ".span-1.killed/work/plan.json"):
        left = tmp_path / "store" / path
        left.parent.mkdir(parents=True)
        left.write_bytes(b"of a killed one")
    for _ in range(2):
        for root in (here, folders):
            assert not ingest(table, images, root, OPTIONS).already_done
            assert ingest(table, images, root, OPTIONS).already_done
        grow(source, range(40, 80))
    assert folder_content(tmp_path / "store") == folder_content(here)
    assert data.find_span(load(folders)).number == 2


@pytest.mark.parametrize("store", ["out", "folders"])
def test_what_was_written_meanwhile_is_not_overwritten(store, request):
    path = request.getfixturevalue(store) / "claim"
    first = conditional.write(path, b"first", None)
    assert conditional.write(path, b"other", None) is None
    second = conditional.write(path, b"second", first)
    assert conditional.write(path, b"other", first) is None
    conditional.remove(path, first)
    assert conditional.read(path) == (b"second", second)
    conditional.remove(path, second)
    assert conditional.read(path) is None


def test_a_refused_source_leaves_its_list_alone(source, out):
    table, images, _ = source
    for number in range(7):
        (images / f"{number:03d}.jpg").write_bytes(b"<html>")
    with pytest.raises(PostersError, match=r"listed in gs://.*/rejected-span-1\.csv"):
        ingest(table, images, out, IngestOptions(min_label_count=2))
    assert set(store_content(out)) == {"rejected-span-1.csv"}


def test_places_that_cannot_be_written(source, out):
    table, images, _ = source
    with pytest.raises(PostersError, match=r"/data\[1\]: a data root .* has no \*, \? or \["):
        ingest(table, images, out / "data[1]", OPTIONS)
    with pytest.raises(PostersError, match=r"cannot write gs://nowhere/x: .*nothing was published"):
        ingest(table, images, StorePath("gs://nowhere/x"), OPTIONS)


def test_the_commands_take_a_store(source, out, tmp_path, capsys):
    table, images, _ = source
    where = ["--config", "sample", "--set", "ingest.min_label_count=2"]
    files = ["--csv", str(table), "--images", str(images)]
    assert main.main(["ingest", *where, *files, "--out", str(out)]) == 0
    assert f"{out}/span-1: written" in capsys.readouterr().out.replace("\n", "")
    assert main.main(["data", *where, "--data-root", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "Drama" in shown and "is missing" not in shown and "damaged" not in shown
    draft = tmp_path / "draft.pbtxt"
    assert main.main(["schema", "infer", *where, "--data", str(out), "--out", str(draft)]) == 0
    assert 'name: "genres"' in draft.read_text()
