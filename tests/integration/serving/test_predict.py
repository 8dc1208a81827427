"""`posters predict` on files and folders, with a real model."""

import json
import socket
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from urllib3.util import Retry

from components.errors import PostersError
from components.serving import predictor
from components.serving.client import ServerClient
from components.serving.prediction import Prediction
from pipeline.cli.main import FAILED, OK, main
from tests.examples import encode, picture


def _answers(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_folder_gives_the_models_scores_of_every_file_in_it(model_folder, tmp_path, capsys):
    """More files than are asked about at a time, one of them named twice."""
    images = [encode(picture(seed, 30 + seed % 7, 40)) for seed in range(70)]
    files = [tmp_path / f"{row:03}.jpg" for row in range(len(images))]
    for file, image in zip(files, images, strict=True):
        file.write_bytes(image)
    (tmp_path / ".hidden").write_bytes(b"no image")
    (tmp_path / "below").mkdir()
    command = ["predict", "--json", "--model", str(model_folder), str(files[3]), str(tmp_path)]
    assert main(command) == OK
    answers = _answers(capsys)
    assert [answer["path"] for answer in answers] == [str(file) for file in (files[3], *files)]
    model = tf.saved_model.load(str(model_folder))
    wanted = model.signatures["serving_default"](image_bytes=tf.constant(images))
    found = [list(answer["scores"].values()) for answer in answers[1:]]
    np.testing.assert_allclose(found, wanted["scores"], atol=1e-5)
    np.testing.assert_allclose(found[3], list(answers[0]["scores"].values()), atol=1e-5)


def test_what_cannot_be_read_in_a_folder_is_named_with_the_reason(model_folder, tmp_path, capsys):
    (tmp_path / "a.txt").write_bytes(b"hello")
    (tmp_path / "b.jpg").write_bytes(encode(picture(1)))
    (tmp_path / "c.jpg").write_bytes(b"")
    assert main(["predict", "--json", "--model", str(model_folder), str(tmp_path)]) == FAILED
    shown = capsys.readouterr()
    rows = {row["id"]: row for row in map(json.loads, shown.out.splitlines())}
    assert [row["path"] for row in rows.values() if row["scores"]] == [str(tmp_path / "b.jpg")]
    assert rows["b"]["status"] == ""
    assert rows["a"]["status"] == "not a JPEG, PNG, GIF or BMP image (5 bytes)"
    assert rows["a"]["genres"] is rows["a"]["probabilities"] is None
    assert "a.txt: not a JPEG, PNG, GIF or BMP image (5 bytes)" in shown.err
    assert "c.jpg: no image: 0 bytes" in shown.err


class _Answering:
    """A model whose labels have square brackets."""

    name, version = "a model", "1"

    def ask(self, images):
        scores = {"Comedy [/UK]": 0.9, "[bold]": 0.1}
        return [Prediction(scores, scores) for _ in images]


def test_labels_are_shown_as_they_are_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(predictor, "Predictor", lambda folder: _Answering())
    (tmp_path / "a.jpg").write_bytes(encode(picture(1)))
    assert main(["predict", "--model", str(tmp_path), str(tmp_path / "a.jpg")]) == OK
    given, first, second = capsys.readouterr().out.splitlines()
    assert given.endswith("a.jpg: Comedy [/UK]")
    assert first.startswith("  Comedy [/UK] score 0.900")
    assert second.startswith("  [bold]       score 0.100")


def test_an_empty_folder_is_refused(model_folder, tmp_path, capsys):
    assert main(["predict", "--model", str(model_folder), str(tmp_path)]) == FAILED
    assert f"{tmp_path} holds no file" in capsys.readouterr().err


TABLE = """imdbId,Title
1,One
2,Two
,Nameless
3,"Three, and more"
4,Missing
"""


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for number in (1, 2, 3):
        (folder / f"{number}.jpg").write_bytes(encode(picture(number)))
    return folder


def test_a_table_is_read_as_ingest_reads_it_and_needs_no_labels(
    model_folder, images, tmp_path, capsys
):
    (tmp_path / "t.csv").write_text(TABLE)
    command = ["predict", "--json", "--model", str(model_folder), "--images", str(images)]
    assert main([*command, "--csv", str(tmp_path / "t.csv")]) == FAILED
    rows = _answers(capsys)
    assert [row["id"] for row in rows] == ["1", "2", "line 4", "3", "4"]
    assert [bool(row["scores"]) for row in rows] == [True, True, False, True, False]
    assert rows[2]["status"] == "the column 'imdbId' is empty"
    assert rows[4]["status"] == f"no image in {images}"
    lines = "".join(json.dumps({"imdbId": row}) + "\n" for row in (1, 2, 3))
    (tmp_path / "t.jsonl").write_text(lines)
    assert main([*command, "--jsonl", str(tmp_path / "t.jsonl")]) == OK
    assert [row["scores"] for row in _answers(capsys)] == [rows[at]["scores"] for at in (0, 1, 3)]


def test_a_server_gives_the_same_as_the_model(server, model_folder, images, tmp_path, capsys):
    (images / "4.txt").write_text("no image")
    command = ["predict", "--json", str(images)]
    assert main([*command, "--model", str(model_folder)]) == FAILED
    wanted = _answers(capsys)
    assert main([*command, "--server", server.url]) == FAILED
    found = _answers(capsys)
    assert [row["status"] for row in found] == [row["status"] for row in wanted]
    assert found[3]["status"] == "not a JPEG, PNG, GIF or BMP image (8 bytes)"
    for one, other in zip(found[:3], wanted[:3], strict=True):
        assert one["scores"] == pytest.approx(other["scores"], abs=1e-5)
        assert one["genres"] == other["genres"]
        assert one["model_version"] == "100"
    address = f"{server.url}/v1/models/posters/versions/100"
    assert main([*command[:2], str(images / "1.jpg"), "--server", address]) == OK


def test_a_server_that_is_none_is_named(server, tmp_path, capsys):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(PostersError, match=f"{url}.* cannot be asked: no connection"):
            ServerClient(url, retry=Retry(0))
    with pytest.raises(PostersError, match="--server 8501: write it as http://host:port"):
        ServerClient("8501")
    assert main(["predict", "x.jpg", "--server", f"{server.url}/v1/models/other"]) == FAILED
    assert "answers 404: Servable not found" in capsys.readouterr().err


def test_what_is_too_large_is_left_out_before_it_is_decoded(model_folder, tmp_path, capsys):
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    body = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    (tmp_path / "bomb.png").write_bytes(bomb)
    (tmp_path / "large.jpg").write_bytes(bytes(3000))
    command = ["predict", "--model", str(model_folder), "--set", "ingest.max_image_bytes=2000"]
    assert main([*command, str(tmp_path)]) == FAILED
    said = capsys.readouterr().err
    assert "bomb.png: 3600.0 megapixels; 50 are allowed (ingest.max_image_pixels)" in said
    assert "large.jpg: more than 2000 bytes (ingest.max_image_bytes)" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name images or folders, or a table"),
        (["a.jpg", "--csv", "t.csv"], "one of both"),
        (["a.jpg", "--images", "x"], "--images goes with --csv or --jsonl"),
        (["--csv", "t.csv"], "there is nowhere to take images from"),
        (["a.jpg", "--server", "http://x", "--model", "m"], "leave --model away"),
    ],
)
def test_a_command_that_contradicts_itself_is_refused(arguments, words, capsys, model_folder):
    if "--model" not in arguments:
        arguments = [*arguments, "--model", str(model_folder)]
    assert main(["predict", *arguments]) == FAILED
    assert words in capsys.readouterr().err
