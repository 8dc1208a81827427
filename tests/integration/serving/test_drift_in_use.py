"""What a real server keeps of its requests, read by the decision whether to train again."""

import dataclasses
import json
import shutil

import pytest
import tensorflow as tf
from tfx.types.experimental import simple_artifacts

from components.model_files import DESCRIPTION_FILE
from components.retraining import asking, records
from components.retraining.executor import RETRAIN, RetrainDecisionExecutor
from components.retraining.question import Question
from components.retraining.settings import InUseSettings, RetrainSettings
from components.spans import reading
from components.trainer import embedding_summary
from pipeline.cli.main import OK, SKIPPED, main
from tests.examples import FEATURES, encode, example, picture, write_records
from tests.serving import LABELS
from tests.serving_process import ServerProcess
from tests.spans import write_manifest

VERSION = 1795487418
#: How often every image is asked about; it counts once.
TWICE = 2


def _pictures(first, count, change=None):
    found = (picture(seed) for seed in range(first, first + count))
    return [encode(image.point(change) if change else image) for image in found]


def _write_span(root, number, train, evaluation):
    folder = root / f"span-{number}"
    for split, images in (("train", train), ("eval", evaluation)):
        rows = [
            example(f"{number}-{split}-{row}", image, ["Drama"]) for row, image in enumerate(images)
        ]
        write_records(folder / split / "data-00000-of-00001.tfrecord", rows)
    (folder / "vocabulary.txt").write_text("".join(f"{label}\n" for label in LABELS))
    counts = {"train": {"Drama": len(train)}, "eval": {"Drama": len(evaluation)}}
    write_manifest(folder, {"train": len(train), "eval": len(evaluation), "test": 0}, counts)
    return reading.read(root, number).digest


@pytest.fixture(scope="module")
def place(model_folder, tmp_path_factory):
    """A version that was trained on one span of two, as far as what lies beside it goes."""
    root = tmp_path_factory.mktemp("in-use")
    manifest = _write_span(root / "data", 1, _pictures(0, 300), _pictures(400, 200))
    _write_span(root / "data", 2, _pictures(2000, 30), [])
    model = shutil.copytree(model_folder, root / "workspace" / "models" / str(VERSION))
    description = json.loads((model / DESCRIPTION_FILE).read_text())
    description["spans"] = [{"number": 1, "manifest": manifest}]
    (model / DESCRIPTION_FILE).write_text(json.dumps(description))
    embed = tf.saved_model.load(str(model)).signatures["embedding"]
    features = embed(image_bytes=tf.constant(_pictures(0, 400)))["embedding"].numpy()
    summary = embedding_summary.summarize(features[:200], features[200:])
    embedding_summary.write(summary, str(model))
    return root


def _log(place, folder, images):
    """Asks a server that keeps everything about some images, each twice."""
    with ServerProcess(
        place / "workspace" / "models", f"log={{folder: {folder}, share: 1, file_images: 100}}"
    ) as server:
        for start in range(0, len(images), 50):
            for _ in range(TWICE):
                assert server.predict(*images[start : start + 50]).status_code == 200
    return folder


@pytest.fixture(scope="module")
def alike(place):
    """The log of a server that was asked about images like those of the data."""
    return _log(place, place / "alike", _pictures(5000, 250))


@pytest.fixture(scope="module")
def moved(place):
    """The same of images that are darker by far."""
    return _log(place, place / "moved", _pictures(5000, 250, lambda value: value // 4))


def _question(place, folder, **limits):
    return Question(
        data_root=str(place / "data"),
        window="all",
        exclude_spans=(),
        models_folder=str(place / "workspace" / "models"),
        decisions_folder=str(place / "decisions"),
        accepted_folder=str(place / "gate"),
        gate_basis="basis",
        training_basis="settings",
        image_feature=FEATURES.image,
        min_label_posters=1000,
        settings=RetrainSettings(
            max_label_drift=None,
            max_embedding_drift=None,
            in_use=InUseSettings(str(folder), **limits),
        ),
    )


def _reasons(asked):
    return {reason.rule: reason for reason in asked.decision.reasons}


def test_requests_like_the_data_are_no_reason(place, alike):
    asked = asking.ask(_question(place, alike))
    found = asked.situation.in_use
    assert asked.decision.verdict == "skip"
    assert (found.logged, found.images, found.posters) == (250 * TWICE, 250, 200)
    assert (found.not_compared, found.left_out) == ((), ())
    assert found.embeddings.reference == 200
    reasons = _reasons(asked)
    assert "within 0.25" in reasons["embedding_drift_in_use"].sentence
    assert "label_drift_in_use" in reasons
    kept = json.loads(json.dumps(asked.record(_question(place, alike)).to_json()))
    assert kept["inputs"]["in_use"]["images"] == 250
    assert kept["settings"]["settings"]["in_use"]["folder"] == str(alike)


def test_requests_that_moved_are_one(place, moved):
    asked = asking.ask(_question(place, moved))
    assert asked.decision.verdict == "run"
    rules = [reason.rule for reason in asked.decision.because]
    assert rules[0] == "embedding_drift_in_use"
    assert asked.situation.in_use.embeddings.distance > 0.5
    newest = asking.ask(_question(place, moved, min_images=50, max_images=60)).situation.in_use
    assert newest.images == 60
    assert newest.logged < 250 * TWICE, "the oldest files need not be read"


def test_what_was_answered_alone_is_looked_at_if_that_is_wanted(place, moved):
    asked = asking.ask(_question(place, moved, max_embedding_drift=None))
    drift = asked.situation.in_use.labels
    scores = tf.saved_model.load(str(place / "workspace" / "models" / str(VERSION))).signatures[
        "serving_default"
    ]
    before, now = (
        (scores(image_bytes=tf.constant(images))["scores"].numpy() > 0.5).mean(axis=0)
        for images in (_pictures(400, 200), _pictures(5000, 250, lambda value: value // 4))
    )
    row = LABELS.index(drift.label)
    assert (drift.share_before, drift.share_now) == pytest.approx((before[row], now[row]))
    assert asked.decision.verdict == ("run" if drift.exceeds(0.3) else "skip")


def test_too_few_none_and_no_folder_are_said(place, alike):
    for folder, limits, words in (
        (alike, {"min_images": 300}, "asked about 250 different images (500 logged); 300 would be"),
        (place / "nowhere", {}, f"there is no folder {place}/nowhere"),
        (place / "data", {}, f"{place}/data holds no request to version {VERSION}"),
        ("s3://bucket/requests", {}, "s3://bucket/requests cannot be read"),
    ):
        asked = asking.ask(_question(place, folder, **limits))
        assert asked.decision.verdict == "skip"
        assert words in _reasons(asked)["requests_not_compared"].sentence


def test_damaged_and_foreign_files_are_told_and_the_rest_is_compared(place, moved, tmp_path):
    folder = shutil.copytree(moved, tmp_path / "log")
    first, *_ = sorted(folder.iterdir())
    first.write_bytes(first.read_bytes()[:-9])
    (folder / "requests-2.tfrecord").write_bytes(b"\x89PNG no records at all")
    asked = asking.ask(_question(place, folder))
    assert asked.decision.because[0].rule == "embedding_drift_in_use"
    told = _reasons(asked)["requests_left_out"].sentence
    assert f"2 files of {folder} were left out" in told
    for path in folder.iterdir():
        path.write_bytes(b"x" * 40)
    asked = asking.ask(_question(place, folder))
    assert asked.decision.verdict == "skip"
    assert "requests_not_compared" in _reasons(asked)


def test_a_model_without_its_embeddings_is_compared_by_what_it_answers(place, moved, tmp_path):
    models = tmp_path / "models"
    bare = shutil.copytree(place / "workspace" / "models" / str(VERSION), models / str(VERSION))
    (bare / embedding_summary.FILE).unlink()
    question = dataclasses.replace(_question(place, moved), models_folder=str(models))
    reasons = _reasons(asking.ask(question))
    assert "there is no" in reasons["requests_not_compared"].sentence
    assert "label_drift_in_use" in reasons


def test_the_node_of_a_scheduled_job_reads_the_log_too(place, moved, tmp_path):
    artifact = simple_artifacts.File()
    artifact.uri = str(tmp_path / "decision")
    question = dataclasses.replace(
        _question(place, moved), decisions_folder=str(tmp_path / "decisions")
    )
    RetrainDecisionExecutor().Do(
        {},
        {"decision": [artifact]},
        {"question": json.dumps(question.to_json()), "labels": json.dumps(list(LABELS))},
    )
    assert artifact.get_int_custom_property(RETRAIN) == 1
    (record,) = records.read_all(tmp_path / "decisions")
    assert record.reasons[0]["rule"] == "embedding_drift_in_use"
    assert record.inputs["in_use"]["logged"] == 250 * TWICE


def test_retrain_prints_and_keeps_it_and_takes_the_folder_that_the_server_writes_to(
    place, moved, capsys
):
    settings = (
        f"workspace={place / 'workspace'}", f"data_root={place / 'data'}", "window=all",
        f"serve.log={{folder: {moved}}}", "retrain.max_embedding_drift=null",
        "retrain.max_label_drift=null",
    )  # fmt: skip
    command = ["retrain", "--config", "sample", *(f"--set={setting}" for setting in settings)]
    assert main([*command, "--dry-run", "--set=retrain.in_use={}"]) == OK
    assert "Retrain: yes." in (shown := capsys.readouterr().out)
    assert "images that version 1795487418 was asked about (500 logged) from those" in shown
    assert main(command) == SKIPPED
    assert "was asked about" not in capsys.readouterr().out
    # With nothing new it is told, and is no reason.
    assert main([*command, "--set=exclude_spans=[2]", "--set=retrain.in_use={}"]) == SKIPPED
    shown = capsys.readouterr().out
    assert "nothing is new" in shown
    assert "it would take posters like those to train on" in shown
    record = next(records.read_all(place / "workspace" / "decisions"))
    assert record.inputs["in_use"]["images"] == 250
    assert record.reasons[1]["rule"] == "embedding_drift_in_use"
