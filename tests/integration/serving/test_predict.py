"""`posters predict` on files and folders, with a real model."""

import json

import numpy as np
import tensorflow as tf

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
    assert json.loads(shown.out)["path"] == str(tmp_path / "b.jpg")
    assert "a.txt: not a JPEG, PNG, GIF or BMP image (5 bytes)" in shown.err
    assert "c.jpg: no image: 0 bytes" in shown.err


def test_an_empty_folder_is_refused(model_folder, tmp_path, capsys):
    assert main(["predict", "--model", str(model_folder), str(tmp_path)]) == FAILED
    assert f"{tmp_path} holds no file" in capsys.readouterr().err
