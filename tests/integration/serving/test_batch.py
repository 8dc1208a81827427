"""`posters batch` on real models: what it writes, and what is left when it is killed."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from components.batch import plan
from pipeline.cli.main import FAILED, INTERRUPTED, OK, main
from tests import folder_store
from tests.examples import encode, example, picture, write_records
from tests.serving import LABELS

ROOT = Path(__file__).parents[3]
COUNT = 95


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for number in range(COUNT):
        (folder / f"{number:04}.jpg").write_bytes(encode(picture(number, 30, 40)))
    (folder / "0033.jpg").write_bytes(b"no image")
    return folder


def _command(model_folder, out, *arguments, shard=20):
    settings = ["--config", "sample", f"--set=batch.shard_posters={shard}"]
    return ["batch", *settings, "--model", str(model_folder), "--out", str(out), *arguments]


def _rows(out):
    files = sorted(out.glob("predictions-*"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def _content(out):
    return {file.name: file.read_bytes() for file in out.iterdir()}


@pytest.fixture(scope="module")
def whole(model_folder, images, tmp_path_factory):
    """A batch that nobody disturbed."""
    out = tmp_path_factory.mktemp("whole") / "out"
    assert main(_command(model_folder, out, str(images))) == OK
    return out


def test_every_poster_has_its_row_in_order(whole, images):
    rows = _rows(whole)
    assert [row["path"] for row in rows] == [str(path) for path in sorted(images.iterdir())]
    assert [row["id"] for row in rows][:2] == ["0000", "0001"]
    assert set(rows[0]) == {
        "id", "path", "status", "genres", "scores", "probabilities", "model_version",
    }  # fmt: skip
    lost = rows.pop(33)
    assert lost["status"] == "not a JPEG, PNG, GIF or BMP image (8 bytes)"
    assert lost["scores"] is lost["probabilities"] is lost["genres"] is None
    assert all(list(row["scores"]) == list(LABELS) for row in rows)
    assert {row["model_version"] for row in rows} == {"100"}
    manifest = json.loads((whole / "manifest.json").read_text())
    assert (manifest["posters"], manifest["answered"], manifest["shards"]) == (COUNT, COUNT - 1, 5)
    counts = [sum(label in row["genres"] for row in rows) for label in LABELS]
    assert [manifest["given"].get(label, 0) for label in LABELS] == counts


def test_again_there_is_nothing_to_do(whole, model_folder, images, capsys):
    before = {file: file.stat().st_mtime_ns for file in whole.iterdir()}
    assert main(_command(model_folder, whole, str(images))) == OK
    assert "already there, nothing to do" in capsys.readouterr().out
    assert {file: file.stat().st_mtime_ns for file in whole.iterdir()} == before


def test_killed_it_goes_on_and_leaves_the_same_files(whole, model_folder, images, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "pipeline.cli.main"]
    command += _command(model_folder, out, str(images))
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    while not list(out.glob("predictions-*")) and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = {file.name: file.stat().st_mtime_ns for file in out.glob("predictions-*")}
    assert done
    assert main(_command(model_folder, out, str(images))) == OK
    assert _content(out).keys() == _content(whole).keys()
    for name, moment in done.items():
        assert (out / name).stat().st_mtime_ns == moment
    for one, other in zip(_rows(out), _rows(whole), strict=True):
        assert one["id"] == other["id"]
        if other["scores"]:
            assert one["scores"] == pytest.approx(other["scores"], abs=1e-6)


def test_cut_off_at_its_very_end_it_leaves_the_same_files(
    whole, model_folder, images, tmp_path, monkeypatch
):
    def cut_off(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(plan, "clear", cut_off)
        assert main(_command(model_folder, tmp_path, str(images))) == INTERRUPTED
    assert (tmp_path / "manifest.json").exists() and (tmp_path / "plan.json").exists()
    assert main(_command(model_folder, tmp_path, str(images))) == OK
    assert _content(tmp_path) == _content(whole)


def test_a_plan_that_was_cut_off_is_made_anew(whole, model_folder, images, tmp_path):
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "00000.jsonl").write_text("[")
    assert main(_command(model_folder, tmp_path, str(images))) == OK
    assert _content(tmp_path) == _content(whole)


def test_processes_of_their_own_write_the_same(whole, model_folder, images, tmp_path):
    options = "beam.batch=[--direct_running_mode=multi_processing, --direct_num_workers=2]"
    assert main([*_command(model_folder, tmp_path, str(images)), "--set", options]) == OK
    found, wanted = _rows(tmp_path), _rows(whole)
    assert [row["id"] for row in found] == [row["id"] for row in wanted]
    scores = [[row["scores"][label] for label in LABELS] for row in found if row["scores"]]
    expected = [[row["scores"][label] for label in LABELS] for row in wanted if row["scores"]]
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_examples_give_the_same(whole, model_folder, images, tmp_path):
    records = [
        example(path.stem, path.read_bytes(), ["Drama"]) for path in sorted(images.iterdir())
    ]
    write_records(tmp_path / "in" / "examples-0.tfrecord", records[:60])
    write_records(tmp_path / "in" / "examples-1.tfrecord.gz", records[60:])
    out = tmp_path / "out"
    assert main(_command(model_folder, out, "--examples", str(tmp_path / "in"))) == OK
    for one, other in zip(_rows(out), _rows(whole), strict=True):
        assert (one["id"], one["status"]) == (other["id"], other["status"])
        if other["scores"]:
            assert one["scores"] == pytest.approx(other["scores"], abs=1e-5)


def test_another_batch_is_not_mixed_in(whole, model_folder, images, tmp_path, capsys):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "0000.jpg").write_bytes((images / "0000.jpg").read_bytes())
    for arguments, words in (
        (_command(model_folder, whole, str(tmp_path / "one")), "the batch of other posters"),
        (_command(model_folder, whole, str(images), shard=7), "shard_posters"),
        (_command(model_folder, images, str(images)), f"--out {images} holds 0000.jpg"),
    ):
        assert main(arguments) == FAILED
        assert words in capsys.readouterr().err
    assert len(_rows(whole)) == COUNT


@pytest.mark.parametrize("damage", ["cut off", "something else"])
def test_a_file_of_examples_that_is_damaged_is_named_and_the_others_stay(
    model_folder, tmp_path, capsys, damage
):
    records = [example(f"tt{row}", encode(picture(row)), ["Drama"]) for row in range(30)]
    write_records(tmp_path / "in" / "a.tfrecord", records)
    cut = write_records(tmp_path / "in" / "b.tfrecord", records)
    if damage == "cut off":
        cut.write_bytes(cut.read_bytes()[:-9])
    else:
        write_records(cut, [*records[:29], b"no example at all"])
    out = tmp_path / "out"
    arguments = _command(model_folder, out, "--examples", str(tmp_path / "in"))
    assert main(arguments) == FAILED
    assert f"{cut}, after 29 examples: " in capsys.readouterr().err
    assert [path.name for path in out.glob("pred*")] == ["predictions-00000-of-00002.jsonl"]
    assert not (out / "manifest.json").exists()


def test_images_and_predictions_may_lie_on_a_store(whole, model_folder, images, tmp_path):
    there = f"{folder_store.SCHEME}://{images}"
    out = f"{folder_store.SCHEME}://{tmp_path}/out"
    assert main(_command(model_folder, out, there)) == OK
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_file()} == set(
        _content(whole)
    )
    for one, other in zip(_rows(tmp_path / "out"), _rows(whole), strict=True):
        assert one["path"] == f"{folder_store.SCHEME}://{other['path']}"
        assert one["scores"] == other["scores"]
