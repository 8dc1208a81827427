"""Decisions over real spans, records and models: what is looked at, and where."""

import dataclasses
import fcntl
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.types.experimental import simple_artifacts

from components.errors import PostersError
from components.gate.findings import Finding
from components.gate.report import GateReport
from components.model_files import DESCRIPTION_FILE
from components.retraining import asking, looking, question, records
from components.retraining.executor import DECISION, RETRAIN, RetrainDecisionExecutor
from components.retraining.question import Question
from components.retraining.records import Outcome
from components.retraining.settings import RetrainSettings
from components.spans import reading
from components.spans.settings import LastSpans
from components.trainer import embedding_summary
from pipeline.cli.main import SKIPPED, main
from tests import serving, webhook_server
from tests.examples import FEATURES, encode, example, picture, write_records
from tests.spans import VOCABULARY, clean, rows, write_manifest, write_span


@pytest.fixture
def asked_about(tmp_path) -> Question:
    """Two spans of 200 posters each, in a workspace without a model."""
    for number in (1, 2):
        write_span(tmp_path / "data", number, clean())
    return Question(
        data_root=str(tmp_path / "data"),
        window="all",
        exclude_spans=(),
        models_folder=str(tmp_path / "models"),
        decisions_folder=str(tmp_path / "decisions"),
        accepted_folder=str(tmp_path / "gate"),
        gate_basis="basis",
        training_basis="settings",
        image_feature=FEATURES.image,
        min_label_posters=20,
        settings=RetrainSettings(max_embedding_drift=None, max_age_days=None),
    )


def _manifests(asked_about, *numbers):
    root = asking.to_path(asked_about.data_root)
    return {number: reading.read(root, number).digest for number in numbers}


def _push(asked_about, version, spans, labels=VOCABULARY, **more):
    """A version with its description; nothing of it is loaded."""
    folder = asking.to_path(asked_about.models_folder) / version
    path = folder / DESCRIPTION_FILE
    path.parent.mkdir(parents=True)
    trained_on = [{"number": number, "manifest": digest} for number, digest in spans.items()]
    path.write_text(json.dumps({"labels": list(labels), "spans": trained_on, **more}))
    (folder / "saved_model.pb").write_bytes(b"")


def _refuse(asked_about, spans, **changes):
    """What the gate leaves when it refuses."""
    report = GateReport(
        spans=tuple(spans),
        window=tuple(spans),
        verdict="refused",
        findings=(Finding("SHRUNK", None, None, "3 examples", "Look for rows"),),
        override=None,
        splits={},
        totals={},
        previous=None,
        usual=None,
        distances=(),
        settings={},
        manifests=spans,
        basis="basis",
    )
    report = dataclasses.replace(report, **changes)
    report.write(f"{asked_about.accepted_folder}/refused-span-{max(spans)}")


def _first(asked_about, **more):
    found = asking.ask(asked_about, **more)
    return found.decision.verdict, found.decision.reasons[0].rule


def test_a_question_is_asked_in_a_container_as_it_is_here(asked_about):
    other = dataclasses.replace(asked_about, window=LastSpans(last=3), exclude_spans=(4, 5))
    for each in (asked_about, other):
        assert question.from_json(json.dumps(each.to_json())) == each


def test_the_version_with_the_highest_number_serves_and_says_what_it_saw(asked_about):
    assert _first(asked_about) == ("run", "nothing_served")
    _push(asked_about, "1795487418", _manifests(asked_about, 1))
    _push(asked_about, "999999999", _manifests(asked_about, 1, 2))
    (asking.to_path(asked_about.models_folder) / ".push-7").mkdir()
    (asking.to_path(asked_about.models_folder) / "2000000000").mkdir()
    found = asking.ask(asked_about)
    assert (found.decision.verdict, found.decision.reasons[0].rule) == ("run", "new_posters")
    assert found.situation.served.version == "1795487418"
    assert found.situation.served.spans == (1,)
    assert found.situation.served.trained.isoformat() == "2026-11-24T02:30:18+00:00"
    assert json.loads(asking.spans_json(found.window)) == {
        str(number): digest for number, digest in _manifests(asked_about, 1, 2).items()
    }


def test_a_span_that_was_replaced_is_not_the_one_that_was_trained_on(asked_about):
    _push(asked_about, "1795487418", {**_manifests(asked_about, 1), 2: "another"})
    found = asking.ask(asked_about)
    assert found.situation.served.spans == (1,)
    assert found.decision.verdict == "run"


def test_with_nothing_new_it_is_left(asked_about):
    trained = "2026-11-20T00:00:00+00:00"
    _push(asked_about, "1795487418", _manifests(asked_about, 1, 2), trained=trained)
    assert _first(asked_about) == ("skip", "nothing_new")
    assert _first(asked_about, force="the extractor changed") == ("run", "forced")
    assert _first(asked_about, under_way="process 7") == ("skip", "run_under_way")
    assert asking.ask(asked_about).situation.served.trained.isoformat() == trained


def test_an_excluded_span_is_not_in_the_window(asked_about):
    _push(asked_about, "1795487418", _manifests(asked_about, 1))
    excluded = dataclasses.replace(asked_about, exclude_spans=(2,))
    assert _first(excluded) == ("skip", "nothing_new")
    with pytest.raises(PostersError, match=r"exclude_spans: .* has no span-7; it has 1, 2"):
        asking.ask(dataclasses.replace(asked_about, exclude_spans=(7,)))


def test_a_refusal_stands_while_nothing_changes_that_the_gate_looks_at(asked_about):
    _push(asked_about, "1795487418", _manifests(asked_about, 1))
    _refuse(asked_about, _manifests(asked_about, 2))
    assert _first(asked_about) == ("refuse", "data_gate")
    assert _first(asked_about, force="now") == ("refuse", "data_gate")
    assert _first(asked_about, allow_anomalies=True) == ("run", "new_posters")
    assert _first(dataclasses.replace(asked_about, gate_basis="other")) == ("run", "new_posters")
    assert _first(dataclasses.replace(asked_about, exclude_spans=(2,))) == ("skip", "nothing_new")
    write_span(asking.to_path(asked_about.data_root), 3, clean())
    assert _first(asked_about) == ("refuse", "data_gate")


@pytest.mark.parametrize("undone", ["accepted since", "another span of that number"])
def test_a_refusal_that_stands_no_longer(asked_about, undone):
    _push(asked_about, "1795487418", _manifests(asked_about, 1))
    refused = _manifests(asked_about, 2)
    if undone == "accepted since":
        _refuse(asked_about, refused)
        path = asking.to_path(asked_about.accepted_folder) / "span-2.json"
        path.write_text(json.dumps({"span": 2, "manifest": refused[2]}))
    else:
        _refuse(asked_about, {2: "another"})
    assert _first(asked_about) == ("run", "new_posters")


def test_what_was_refused_with_these_settings_is_not_trained_on_again(asked_about):
    _push(asked_about, "1795487418", _manifests(asked_about, 1))
    first = asking.ask(asked_about)
    record = first.record(asked_about)
    folder = asking.to_path(asked_about.decisions_folder)
    records.write(folder, record)
    assert _first(asked_about) == ("run", "new_posters"), "it was killed, or is still running"
    for status, verdict in (("failed", "run"), ("refused", "skip"), ("pushed", "skip")):
        outcome = Outcome(status, "2026-11-27T12:00:00+00:00")
        records.write(folder, dataclasses.replace(record, outcome=outcome))
        assert _first(asked_about)[0] == verdict, status
    other = dataclasses.replace(asked_about, training_basis="another learning rate")
    assert _first(other) == ("run", "new_posters")
    finished = asking.Finished(
        "20991127T120000.000000Z", _manifests(asked_about, 2), "held", "else"
    )
    assert _first(dataclasses.replace(other, training_basis="else"), finished=[finished]) == (
        "skip",
        "tried_in_vain",
    )
    write_span(asking.to_path(asked_about.data_root), 3, clean())
    assert _first(asked_about) == ("run", "new_posters")


def _decide_in_a_node(asked_about, folder, labels=VOCABULARY):
    artifact = simple_artifacts.File()
    artifact.uri = str(folder)
    RetrainDecisionExecutor().Do(
        {},
        {"decision": [artifact]},
        {"question": json.dumps(asked_about.to_json()), "labels": json.dumps(list(labels))},
    )
    return artifact


def test_the_node_of_a_scheduled_job_says_whether_and_on_what(asked_about, tmp_path):
    artifact = _decide_in_a_node(asked_about, tmp_path / "first")
    assert artifact.get_int_custom_property(RETRAIN) == 1
    spans = json.loads((tmp_path / "first" / "spans.json").read_text())
    assert spans == {str(n): digest for n, digest in _manifests(asked_about, 1, 2).items()}
    (record,) = records.read_all(asking.to_path(asked_about.decisions_folder))
    assert record.id == artifact.get_string_custom_property(DECISION)
    _push(asked_about, "1795487418", _manifests(asked_about, 1, 2))
    artifact = _decide_in_a_node(asked_about, tmp_path / "second")
    assert artifact.get_int_custom_property(RETRAIN) == 0
    write_span(asking.to_path(asked_about.data_root), 3, clean(), (*VOCABULARY, "Western"))
    with pytest.raises(PostersError, match="5 labels, and this job was made for 4: Western differ"):
        _decide_in_a_node(asked_about, tmp_path / "third")
    _refuse(asked_about, _manifests(asked_about, 3))
    with pytest.raises(PostersError, match=r"the data gate refused span 3.*exclude_spans: \[3\]"):
        _decide_in_a_node(asked_about, tmp_path / "fourth")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A version that was trained on 300 pictures, as far as its summary goes."""
    folder = tmp_path_factory.mktemp("model")
    graph = serving.transform_graph(tmp_path_factory.mktemp("transform"))
    version = serving.export_model(graph, folder / "100")
    embed = tf.saved_model.load(str(version)).signatures["embedding"]
    images = tf.constant([encode(picture(seed)) for seed in range(300)])
    features = embed(image_bytes=images)["embedding"].numpy()
    embedding_summary.write(
        embedding_summary.summarize(features[:150], features[150:]), str(version)
    )
    return version


def _span_of(folder, images, shards=4):
    for index in range(shards):
        part = images[index::shards]
        write_records(
            folder / "span-2" / "train" / f"data-{index:05d}-of-{shards:05d}.tfrecord",
            [example(f"{index}-{row}", image, ["Drama"]) for row, image in enumerate(part)],
        )
    counts = {"train": {"Drama": len(images)}}
    write_manifest(folder / "span-2", {"train": len(images), "eval": 0, "test": 0}, counts)
    return reading.read(folder, 2)


def test_new_posters_are_compared_through_the_served_model(model, tmp_path):
    alike = [encode(picture(seed)) for seed in range(1000, 1300)]
    span = _span_of(tmp_path / "alike", alike)
    found = looking.compare(model, [span], 120, FEATURES.image)
    assert 120 <= found.posters <= 124
    assert not found.exceeds(0.25)
    inverted = [
        encode(picture(seed).point(lambda value: 255 - value)) for seed in range(1000, 1300)
    ]
    found = looking.compare(model, [_span_of(tmp_path / "other", inverted)], 120, FEATURES.image)
    assert found.exceeds(0.25)


def test_the_sample_comes_from_every_shard(model, tmp_path):
    images = [encode(picture(seed)) for seed in range(80)]
    drawn = list(looking.draw([_span_of(tmp_path, images)], 16, FEATURES.image))
    assert 16 <= len(drawn) <= 20
    shards = np.array([images.index(image) % 4 for image in drawn])
    assert (np.bincount(shards, minlength=4) >= 4).all()


def test_a_model_without_a_summary_gives_nothing_to_compare(model, tmp_path, asked_about):
    span = _span_of(tmp_path / "new", [encode(picture(0))])
    bare = shutil.copytree(model, tmp_path / "100")
    (bare / embedding_summary.FILE).unlink()
    with pytest.raises(looking.NotComparableError, match=r"there is no .*embeddings\.npz"):
        looking.compare(bare, [span], 50, FEATURES.image)
    # Of a model that cannot be looked through, the decision says so and goes by the rest.
    _push(asked_about, "1795487418", _manifests(asked_about, 1))
    settings = RetrainSettings(min_new_posters=None, min_new_share=None, max_age_days=None)
    found = asking.ask(dataclasses.replace(asked_about, settings=settings))
    assert found.decision.verdict == "skip"
    assert any("were not compared" in reason.sentence for reason in found.decision.reasons)


_LIGHT = """
import sys
from pipeline.cli.main import main
status = main(sys.argv[1:])
assert status == 4, status
loaded = [name for name in ("tensorflow", "tfx", "apache_beam", "scipy") if name in sys.modules]
assert not loaded, loaded
"""


def test_to_find_nothing_new_loads_nothing_heavy(asked_about, tmp_path):
    _push(asked_about, "1795487418", _manifests(asked_about, 1, 2))
    settings = (f"workspace={tmp_path}", f"data_root={tmp_path / 'data'}", "window=all")
    arguments = ["retrain", "--config", "sample", *(f"--set={setting}" for setting in settings)]
    done = subprocess.run(
        [sys.executable, "-c", _LIGHT, *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "nothing is new: version 1795487418, which serves" in done.stdout
    (record,) = records.read_all(tmp_path / "decisions")
    assert (record.verdict, record.outcome) == ("skip", None)


def test_genres_that_moved_are_a_reason(asked_about):
    _push(asked_about, "1795487418", _manifests(asked_about, 1, 2))
    drifted = {
        split: [(["War"], year) for _, year in rows(count)]
        for split, count in (("train", 60), ("eval", 20), ("test", 20))
    }
    write_span(asking.to_path(asked_about.data_root), 3, drifted)
    settings = RetrainSettings(min_new_posters=None, min_new_share=None, max_age_days=None)
    assert _first(dataclasses.replace(asked_about, settings=settings)) == ("run", "label_drift")


def test_a_decision_that_no_run_follows_is_told(asked_about, tmp_path):
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    with webhook_server.serving() as webhook, (workspace / "metadata.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        hook = json.dumps({"webhooks": [{"url": webhook.address}]})
        settings = (
            f"workspace={workspace}",
            f"data_root={asked_about.data_root}",
            f"notify={hook}",
        )
        command = ["retrain", "--config", "sample", *(f"--set={setting}" for setting in settings)]
        assert main([*command, "--dry-run"]) == SKIPPED
        assert not webhook.received
        assert main(command) == SKIPPED
        ((_, told),) = webhook.received
    assert told["event"] == "skipped"
    assert told["text"] == f"posters-sample: not retrained: {told['reasons'][0]}"
    assert "a run is under way" in told["text"]
