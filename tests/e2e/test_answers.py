"""One golden set, the test split of the sample, asked in every way that a pushed model can be.

Evaluator, predict, REST, batch and TensorFlow Lite are to give the same scores; real posters are
asked in `test_real_posters.py`.
"""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import requests
import tensorflow as tf

from components import pixels
from components.evaluator import predictions
from components.tflite import parity
from components.tflite.convert import QUANTIZATIONS, LiteModel
from pipeline.cli.main import FAILED, OK, REFUSED, main
from tests.serving_process import ServerProcess, b64

#: How far scores may be from the Evaluator's.
SAME = 1e-5
LITE = 1e-2


@pytest.fixture(scope="module")
def golden(first_run):
    """What the Evaluator got: ids, labels and scores."""
    outputs = {node["id"]: node["outputs"] for node in first_run["nodes"]}
    return predictions.read(outputs["Evaluator"]["evaluation"][0])


@pytest.fixture(scope="module")
def table(world, golden, tmp_path_factory) -> Path:
    """A table of the golden posters alone, without genres: those are what is asked for."""
    path = tmp_path_factory.mktemp("golden") / "golden.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["imdbId", "Note"])
        writer.writerows([identifier, "x"] for identifier in golden.ids.tolist())
    return path


def _scores(rows, golden):
    """(N, L) in the order of the golden set."""
    by_id = {row["id"]: row for row in rows}
    assert by_id.keys() == set(golden.ids.tolist())
    rows = [by_id[identifier] for identifier in golden.ids.tolist()]
    assert all(tuple(row["scores"]) == golden.labels and not row["status"] for row in rows)
    for row in rows:
        assert set(row["genres"]) == {name for name, score in row["scores"].items() if score > 0.5}
    return np.array([list(row["scores"].values()) for row in rows])


def _images(world, golden):
    """The encoded posters, in the order of the golden set."""
    folder = world.source / "images"
    return [(folder / f"{identifier}.jpg").read_bytes() for identifier in golden.ids.tolist()]


def _predict(capsys, table, world, *arguments):
    capsys.readouterr()
    command = ["predict", "--json", "--csv", str(table), "--images", str(world.source / "images")]
    assert main([*command, *arguments]) == OK
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _lines(folder):
    return [
        json.loads(line)
        for path in sorted(folder.glob("predictions-*.jsonl"))
        for line in path.read_text().splitlines()
    ]


def test_predict_gives_the_evaluators_scores(world, first_run, golden, table, capsys):
    rows = _predict(capsys, table, world, "--model", first_run["pushed_path"])
    np.testing.assert_allclose(_scores(rows, golden), golden.scores, atol=SAME)
    assert {row["model_version"] for row in rows} == {Path(first_run["pushed_path"]).name}


def test_a_server_gives_them(world, golden, table, capsys):
    with ServerProcess(world.models) as server:
        rows = _predict(capsys, table, world, "--server", server.url)
        answer = server.predict(*_images(world, golden))
    assert answer.status_code == 200
    scores = [row["scores"] for row in answer.json()["predictions"]]
    np.testing.assert_allclose(scores, golden.scores, atol=SAME)
    np.testing.assert_allclose(_scores(rows, golden), golden.scores, atol=SAME)


def test_a_batch_gives_them_from_a_table_and_from_examples(
    world, first_run, golden, table, tmp_path
):
    command = ["batch", "--config", "sample", "--set", "batch.shard_posters=40"]
    command += ["--model", first_run["pushed_path"], "--out"]
    images = str(world.source / "images")
    assert main([*command, str(tmp_path / "a"), "--csv", str(table), "--images", images]) == OK
    test = str(world.data / "span-1" / "test")
    assert main([*command, str(tmp_path / "b"), "--examples", test]) == OK
    for folder in ("a", "b"):
        rows = _lines(tmp_path / folder)
        np.testing.assert_allclose(_scores(rows, golden), golden.scores, atol=SAME)
    names = {path.name for path in (tmp_path / "a").iterdir()}
    shards = -(-len(golden.ids) // 40)
    assert names == {
        "manifest.json",
        *(f"predictions-{number:05d}-of-{shards:05d}.jsonl" for number in range(shards)),
    }


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_tensorflow_lite_gives_them_to_a_hundredth(
    world, first_run, golden, tmp_path, quantization
):
    """Asked about the squares that `components.pixels` makes, which the model's own graph makes."""
    out = tmp_path / "lite"
    command = ["export", "--config", "sample", f"--set=data_root={world.data}"]
    command += ["--model", first_run["pushed_path"], "--quantization", quantization]
    assert main([*command, "--out", str(out)]) == OK
    found = json.loads((out / "parity.json").read_text())
    assert found["examples"] == len(golden.ids)
    assert found["macro_f1"] == pytest.approx(first_run["metrics"]["macro_f1"], abs=1e-6)
    assert (out / "labels.txt").read_text().split() == list(golden.labels)
    lite = LiteModel((out / "model.tflite").read_bytes())
    stored = pixels.materialize(tf.constant(_images(world, golden)), 96, ("squished",))
    scores = lite.ask(parity.squares_of(stored, 96))["scores"]
    np.testing.assert_allclose(scores, golden.scores, atol=LITE)
    assert found["score_bound"] == LITE and found["within_score_bound"]
    assert found["largest_difference"] == pytest.approx(
        np.abs(scores - golden.scores).max(), abs=1e-5
    )


def test_an_export_that_is_too_much_worse_is_refused_and_leaves_nothing(
    world, first_run, tmp_path, capsys
):
    out = tmp_path / "lite"
    command = ["export", "--config", "sample", f"--set=data_root={world.data}"]
    command += ["--model", first_run["pushed_path"], "--out", str(out)]
    assert main([*command, "--max-f1-drop=-0.5"]) == REFUSED
    assert "at most -0.5 less is allowed (--max-f1-drop)" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_export_names_a_damaged_file_and_leaves_nothing(world, first_run, tmp_path, capsys):
    data, out = tmp_path / "data", tmp_path / "lite"
    shutil.copytree(world.data, data)
    (shard,) = (data / "span-1" / "test").iterdir()
    shard.write_bytes(shard.read_bytes()[:-9])
    command = ["export", "--config", "sample", f"--set=data_root={data}"]
    assert main([*command, "--model", first_run["pushed_path"], "--out", str(out)]) == FAILED
    assert f"{shard}, after 105 examples: " in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_the_page_knows_the_report_the_neighbours_and_the_date_of_the_data(world, first_run):
    shown = first_run["pushed_path"]
    workspace = world.root / "workspace"
    arguments = ("--set", f"workspace={workspace}")
    with ServerProcess(world.models, arguments=arguments) as server:
        about = requests.get(f"{server.url}/about", timeout=30).json()
        assert about["version"] == Path(shown).name
        assert about["data"]["spans"] == [1]
        assert about["data"]["date"].startswith("20")
        page = requests.get(f"{server.url}/{about['report']}", timeout=30)
        assert "Blessed and pushed" in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        # A training poster is the nearest to itself.
        kept = np.load(Path(shown) / "assets.extra" / "neighbours.npz")
        identifier = kept["ids"][7].decode()
        image = (world.source / "images" / f"{identifier}.jpg").read_bytes()
        body = {"instances": [b64(image)]}
        answer = requests.post(f"{server.url}/neighbours", json=body, timeout=30).json()
    nearest = answer["neighbours"][0][0]
    assert nearest["id"] == identifier
    assert nearest["similarity"] > 0.999
    assert nearest["picture"].startswith("data:image/jpeg;base64,/9j/")
