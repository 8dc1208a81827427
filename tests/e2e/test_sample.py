"""The whole DAG on the embedded sample, as `make run` runs it."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from sklearn import metrics as sklearn_metrics

from components.files import file_digest
from pipeline.cli.main import FAILED, INTERRUPTED, OK, REFUSED, main
from tests.e2e.conftest import World
from tests.examples import FEATURES, write_records

NODES = [
    "ExampleGen", "ImportSchemaGen", "StatisticsGen", "ExampleValidator", "DataGate",
    "Transform", "Trainer", "BaselineResolver", "Evaluator", "ServingCheck", "Pusher", "RunReport",
]  # fmt: skip
#: Of a model that is not looked at; it is no worse than the floor.
QUICK = ("trainer.epochs=4", "trainer.head.members=1", "serving_check.posters=2")


def _states(summary: dict) -> dict[str, str]:
    return {node["id"]: node["state"] for node in summary["nodes"]}


def _records(folder: Path) -> list[bytes]:
    files = sorted(str(path) for path in folder.glob("*.tfrecord"))
    return [record.numpy() for record in tf.data.TFRecordDataset(files)]


def test_the_first_run_blesses_and_pushes(world, first_run):
    assert _states(first_run) == dict.fromkeys(NODES, "run")
    page = world.root / "workspace" / "runs" / first_run["run_id"] / "report.html"
    assert "Blessed and pushed" in page.read_text()
    assert first_run["status"] == "pushed"
    assert first_run["verdict"]["blessed"]
    assert "no earlier blessed model" in " ".join(first_run["verdict"]["reasons"])
    assert first_run["serving"]["serves"]
    assert "the Evaluator's scores for 16 posters" in " ".join(first_run["serving"]["reasons"])
    assert first_run["baseline_metrics"] is None
    assert 1.4 < first_run["metrics"]["macro_f1_lift"] < 2.5
    assert first_run["metrics"]["macro_f1"] < 0.85
    pushed = Path(first_run["pushed_path"])
    assert pushed.parent == world.models
    assert list(world.models.iterdir()) == [pushed]
    assert set(tf.saved_model.load(str(pushed)).signatures) == {
        "serving_default",
        "serving_examples",
        "embedding",
        "scores_of_embedding",
        "transform_features",
        "transform_labels",
        "bulk_inference",
        "pixels",
    }
    for node in first_run["nodes"]:
        assert node["seconds"] >= 0
        assert node["peak_memory_bytes"] > 0


def test_the_first_run_tells_of_it(world, first_run):
    told = json.loads((world.root / "told.json").read_text())
    assert (told["event"], told["run"]) == ("pushed", first_run["run_id"])
    assert told["pushed"] == first_run["pushed_path"]
    assert told["macro_f1"] == first_run["metrics"]["macro_f1"]
    assert told["text"].startswith(f"posters-sample: pushed to {told['pushed']}, macro-F1 0.")
    assert told["spans"] == [1]
    assert set(first_run["verdict"]["reasons"]) < set(told["reasons"])
    assert Path(told["page"]).is_file()


def test_served_scores_give_the_evaluators_figures(world, first_run, capsys):
    """Ask the pushed model about the files of the test split, and count with scikit-learn."""
    truth = {}
    for record in _records(world.data / "span-1" / "test"):
        features = tf.train.Example.FromString(record).features.feature
        identifier = features[FEATURES.id].bytes_list.value[0].decode()
        truth[identifier] = {v.decode() for v in features[FEATURES.labels].bytes_list.value}
    files = [str(world.source / "images" / f"{identifier}.jpg") for identifier in truth]
    capsys.readouterr()
    assert main(["predict", "--json", "--model", first_run["pushed_path"], *files]) == OK
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["path"] for answer in answers] == files
    labels = list(answers[0]["scores"])
    assert labels == list(first_run["metrics_by_label"])
    wanted = np.array([[label in given for label in labels] for given in truth.values()])
    scores = np.array([list(answer["scores"].values()) for answer in answers])
    precision, recall, f1, support = sklearn_metrics.precision_recall_fscore_support(
        wanted, scores > 0.5, zero_division=0
    )
    for index, label in enumerate(labels):
        figures = first_run["metrics_by_label"][label]
        assert figures["f1"] == pytest.approx(f1[index], abs=1e-6)
        assert figures["precision"] == pytest.approx(precision[index], abs=1e-6)
        assert figures["recall"] == pytest.approx(recall[index], abs=1e-6)
        assert figures["support"] == support[index]
        auc = sklearn_metrics.roc_auc_score(wanted[:, index], scores[:, index])
        assert figures["auc"] == pytest.approx(auc, abs=1e-6)
    assert first_run["metrics"]["macro_f1"] == pytest.approx(f1.mean(), abs=1e-6)


def test_scores_are_the_same_from_examples_and_from_files(world, first_run):
    """What the Evaluator asks (serving_examples) and what a client asks (serving_default)."""
    records = _records(world.data / "span-1" / "test")
    images = [
        tf.train.Example.FromString(record).features.feature[FEATURES.image].bytes_list.value[0]
        for record in records
    ]
    model = tf.saved_model.load(first_run["pushed_path"])
    by_example = model.signatures["serving_examples"](examples=tf.constant(records))
    by_file = model.signatures["serving_default"](image_bytes=tf.constant(images))
    for key in ("scores", "probabilities"):
        np.testing.assert_allclose(by_example[key], by_file[key], atol=1e-5)
    assert by_file["genres"].numpy()[0].tolist() == by_example["genres"].numpy()[-1].tolist()


def test_a_score_of_one_half_is_the_fitted_threshold_on_the_probability(world, first_run):
    """Fitted, evaluated and served: one decision, whichever of the two outputs one looks at."""
    model = tf.saved_model.load(first_run["pushed_path"])
    records = _records(world.data / "span-1" / "test")
    answers = model.signatures["serving_examples"](examples=tf.constant(records))
    scores, probabilities = answers["scores"].numpy(), answers["probabilities"].numpy()
    description = Path(first_run["pushed_path"]) / "assets.extra" / "model.json"
    thresholds = np.array(json.loads(description.read_text())["calibration"]["threshold"])
    clear = np.abs(probabilities - thresholds) > 1e-5
    assert clear.mean() > 0.99
    np.testing.assert_array_equal((scores > 0.5)[clear], (probabilities > thresholds)[clear])
    truth = model.signatures["transform_labels"](examples=tf.constant(records))["genres_xf"]
    at_thresholds = sklearn_metrics.f1_score(truth, probabilities > thresholds, average="macro")
    assert first_run["metrics"]["macro_f1"] == pytest.approx(at_thresholds, abs=0.01)


def test_again_with_nothing_changed_every_node_is_cached(world, first_run):
    status, summary = world.run()
    assert status == OK
    assert _states(summary) == dict.fromkeys(NODES, "cached")
    for key in ("metrics", "metrics_by_label", "verdict", "pushed_path"):
        assert summary[key] == first_run[key]


def test_a_new_learning_rate_trains_again_and_computes_no_feature(world, first_run):
    features = world.root / "workspace" / "features"
    before = {path: path.stat().st_mtime_ns for path in features.rglob("*")}
    status, summary = world.run("trainer.learning_rate=0.0007")
    assert status in (OK, REFUSED)
    states = _states(summary)
    assert [node for node in NODES if states[node] == "cached"] == NODES[:6]
    assert {path: path.stat().st_mtime_ns for path in features.rglob("*")} == before
    assert summary["baseline_metrics"]["macro_f1"] == first_run["metrics"]["macro_f1"]


def test_a_model_trained_on_shuffled_labels_is_refused(world, first_run, tmp_path, capsys):
    with (world.source / "MovieGenre.csv").open(encoding="iso-8859-1", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = np.random.default_rng(0).permutation([row["Genre"] for row in rows])
    with (tmp_path / "shuffled.csv").open("w", encoding="iso-8859-1", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, "Genre": label} for row, label in zip(rows, labels, strict=True))
    assert world.ingest(tmp_path / "shuffled.csv", tmp_path / "data") == OK
    models = set(world.models.iterdir())
    status, summary = world.run(f"data_root={tmp_path / 'data'}")
    assert status == REFUSED
    assert summary["status"] == "refused"
    assert summary["pushed_path"] is None
    assert set(world.models.iterdir()) == models
    reasons = " ".join(summary["verdict"]["reasons"])
    assert "times what answering yes to everything gives" in reasons
    assert "min_macro_f1_lift" in reasons
    shown = capsys.readouterr().out
    assert "Refused." in shown
    page = Path(shown.splitlines()[-1]).read_text()
    for words in ("Refused", "what served before still serves", "no better than chance"):
        assert words in page


def test_a_model_that_is_too_slow_is_refused_and_what_served_before_still_serves(
    world, first_run, capsys
):
    models = set(world.models.iterdir())
    status, summary = world.run("serving_check.max_latency_ms=0.001")
    assert status == REFUSED
    assert summary["status"] == "refused"
    assert summary["verdict"]["blessed"]
    assert not summary["serving"]["serves"]
    assert "(serving_check.max_latency_ms)" in summary["serving"]["reasons"][0]
    assert summary["pushed_path"] is None
    assert set(world.models.iterdir()) == models
    printed = capsys.readouterr().out
    assert "Does not serve." in printed
    assert "posters bless" not in printed  # it would refuse
    assert "what served before still serves" in printed
    page = Path(printed.splitlines()[-1]).read_text()
    for words in ("does not serve", "serving_check.max_latency_ms"):
        assert words in page
    name, reason = Path(printed.splitlines()[-1]).parent.name, "it will get faster"
    settings = world.arguments()[3:]
    assert main(["bless", name, "--reason", reason, "--config", "sample", *settings]) == FAILED
    assert "which no decision mends" in capsys.readouterr().err


def _adapt_manifest(folder: Path) -> None:
    """Lets the manifest say what shards there are now."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["shards"] = [
        {
            "name": str(path.relative_to(folder)),
            "bytes": path.stat().st_size,
            "sha256": file_digest(path),
        }
        for path in folder.glob("*/*.tfrecord")
    ]
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _with_broken_image(world: World, data: Path, split: str) -> None:
    """A copy of the sample's span with one image of one split cut off."""
    for part in ("train", "eval", "test"):
        records = _records(world.data / "span-1" / part)
        if part == split:
            example = tf.train.Example.FromString(records[5])
            images = example.features.feature[FEATURES.image].bytes_list
            images.value[0] = images.value[0][:9]
            example.features.feature[FEATURES.id].bytes_list.value[0] = b"tt-broken"
            records[5] = example.SerializeToString()
        write_records(data / "span-1" / part / "data-00000-of-00001.tfrecord", records)
    for name in ("vocabulary.txt", "manifest.json"):
        (data / "span-1" / name).write_bytes((world.data / "span-1" / name).read_bytes())
    _adapt_manifest(data / "span-1")


@pytest.mark.parametrize(("split", "node"), [("train", "Trainer"), ("test", "Evaluator")])
def test_an_image_that_cannot_be_decoded_is_named(
    world, share_features, tmp_path, capsys, split, node
):
    _with_broken_image(world, tmp_path / "data", split)
    other = World(tmp_path)
    share_features(tmp_path / "workspace")
    status, summary = other.run(*QUICK)
    assert status == FAILED
    assert _states(summary)[node] == "failed"
    assert summary["error"].startswith(f"{node}: 1 image(s) cannot be decoded")
    assert "id tt-broken (9 bytes)" in summary["error"]
    assert "tt-broken" in capsys.readouterr().out
    assert not other.models.exists()


def test_ctrl_c_in_the_middle_of_the_trainer_and_then_again(world, share_features, tmp_path):
    """Interrupted, a run leaves nothing half-written; the next one goes on from there."""
    other, data = World(tmp_path), f"data_root={world.data}"
    share_features(tmp_path / "workspace")
    command = other.arguments(data, "trainer.epochs=1000000")
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli.main", *command],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    seen = []
    for line in process.stdout:
        seen.append(line)
        if "epoch" in line:
            break
    assert process.poll() is None, "".join(seen)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED
    assert "Trainer was interrupted" in rest
    artifacts = tmp_path / "workspace" / "artifacts"
    assert list((artifacts / "Trainer" / "model").iterdir()) == []
    assert not other.models.exists()
    status, summary = other.run(data, *QUICK)
    assert status == OK
    assert [node for node in NODES if _states(summary)[node] == "cached"] == NODES[:6]


def test_two_runs_in_one_workspace_do_not_mix(world, first_run):
    lock = world.root / "workspace" / "metadata.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import fcntl,time; f=open({str(lock)!r},'w'); "
         "fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)"],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert holder.stdout.readline() == "held\n"
        started = time.time()
        assert main(world.arguments()) == FAILED
        newest = max((world.root / "workspace" / "runs").iterdir()).stat().st_mtime
        assert newest < started
    finally:
        holder.kill()
        holder.communicate()


def test_a_second_view_computes_its_own_features_only_and_is_served(world, first_run):
    """The last test here, because it may push another model."""
    features = world.root / "workspace" / "features"
    before = set(features.rglob("features.f32"))
    names = ["squished", "squished_mirrored"]
    status, summary = world.run(f"image.views=[{', '.join(names)}]")
    assert status in (OK, REFUSED)
    # A mirrored view is made of the same squares.
    assert [node for node, state in _states(summary).items() if state == "cached"] == NODES[:6]
    parts = set(features.rglob("features.f32"))
    assert before < parts
    squished, mirrored = (
        sum(path.stat().st_size for path in paths) for paths in (before, parts - before)
    )
    assert squished == mirrored
    assert summary["metrics"]["macro_f1"] > 0.9 * first_run["metrics"]["macro_f1"]
    (trainer,) = (node for node in summary["nodes"] if node["id"] == "Trainer")
    (model,) = trainer["outputs"]["model"]
    description = json.loads((Path(model) / "Format-Serving/assets.extra/model.json").read_text())
    assert description["views"] == names
