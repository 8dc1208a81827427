"""Bad input to whole commands: a clear error, a non-zero exit, and nothing half-written."""

import json

import pytest

from pipeline.cli.main import FAILED, main
from tests.spans import clean, write_span


def _refused(arguments, capsys, *words):
    assert main(arguments) == FAILED
    shown = capsys.readouterr()
    for word in words:
        assert word in shown.err
    assert "Traceback" not in shown.out + shown.err


@pytest.fixture
def source(world):
    return ["--csv", str(world.source / "MovieGenre.csv"), "--images", str(world.source / "images")]


def test_no_csv(world, tmp_path, capsys):
    csv = tmp_path / "none.csv"
    arguments = ["--csv", str(csv), "--images", str(world.source / "images")]
    _refused(["ingest", *arguments, "--out", str(tmp_path / "data")], capsys, str(csv))
    assert not (tmp_path / "data").exists()


def test_a_csv_without_the_needed_columns(world, tmp_path, capsys):
    csv = tmp_path / "wrong.csv"
    csv.write_text("id,kind\n1,Drama\n")
    arguments = ["--csv", str(csv), "--images", str(world.source / "images")]
    _refused(
        ["ingest", *arguments, "--out", str(tmp_path / "data")],
        capsys,
        "wrong.csv", "imdbId", "Genre", "kind",
    )  # fmt: skip
    assert not (tmp_path / "data").exists()


def test_an_images_folder_with_no_match(world, tmp_path, capsys):
    images = tmp_path / "images"
    images.mkdir()
    (images / "other.jpg").write_bytes(b"x")
    arguments = ["--csv", str(world.source / "MovieGenre.csv"), "--images", str(images)]
    _refused(
        ["ingest", *arguments, "--out", str(tmp_path / "data")], capsys, str(images), "other.jpg"
    )
    assert not (tmp_path / "data").exists()


def test_an_unwritable_output_folder(source, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "data"
    _refused(["ingest", "--config", "sample", *source, "--out", str(out)], capsys, str(out))


@pytest.mark.parametrize("verb", ["run", "ingest"])
def test_a_typo_in_the_configuration(source, tmp_path, capsys, verb):
    arguments = [*source, "--out", str(tmp_path / "data")] if verb == "ingest" else []
    _refused(
        [verb, *arguments, "--set", "trainer.epoch=3"], capsys, "trainer.epoch", "trainer.epochs"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("data_root={tmp}/nowhere", ["data_root", "posters ingest"]),
        ("trainer.hub_handle={tmp}", ["trainer.hub_handle", "saved_model.pb"]),
        ("trainer.hub_handle={tmp}/none", ["trainer.hub_handle", "no folder"]),
        ("image.size=128", ["image.size", "96 x 96"]),
        ("schema_path={tmp}/none.pbtxt", ["schema_path", "none.pbtxt"]),
        ("beam.by_node={{Transfrom: []}}", ["beam.by_node", "Transfrom"]),
        (
            "evaluator.slices=[decade, country]",
            ["evaluator.slices", "country", "imdb_id"],
        ),
        ("workspace={tmp}/file/workspace", ["file"]),
    ],
)
def test_a_run_that_cannot_work_is_refused_before_any_node(
    world, tmp_path, capsys, override, words
):
    (tmp_path / "file").write_text("in the way")
    workspace = tmp_path / "workspace"
    arguments = ["run", "--config", "sample", f"--set=workspace={workspace}"]
    arguments += [f"--set=data_root={world.data}", f"--set={override.format(tmp=tmp_path)}"]
    _refused(arguments, capsys, *words)
    assert not list(workspace.glob("runs/*"))
    assert not (workspace / "models").exists()


def test_an_empty_split(world, tmp_path, capsys):
    write_span(tmp_path / "data", 1, {**clean(), "eval": []})
    arguments = ["run", "--config", "sample", f"--set=data_root={tmp_path / 'data'}"]
    _refused(arguments, capsys, "the eval split", "ingest.split_shares")


def test_predict_names_the_file_it_cannot_read_and_answers_for_the_others(
    world, first_run, tmp_path, capsys
):
    (tmp_path / "page.jpg").write_bytes(b"<html>404</html>")
    (tmp_path / "empty.png").write_bytes(b"")
    good = next((world.source / "images").glob("*.jpg"))
    files = [tmp_path / "page.jpg", good, tmp_path / "empty.png", tmp_path / "none.jpg"]
    arguments = ["predict", "--json", "--model", str(world.models), *map(str, files)]
    assert main(arguments) == FAILED
    shown = capsys.readouterr()
    rows = [json.loads(line) for line in shown.out.splitlines()]
    assert [row["path"] for row in rows] == list(map(str, files))
    assert [row["path"] for row in rows if not row["status"]] == [str(good)]
    for name in ("page.jpg", "empty.png", "none.jpg"):
        assert name in shown.err


def test_predict_refuses_a_folder_that_is_no_model(tmp_path, capsys):
    _refused(["predict", "--model", str(tmp_path), "poster.jpg"], capsys, str(tmp_path))
