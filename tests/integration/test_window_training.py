"""A window that grows, and its vocabulary with it, trained on.

Only what is new is looked at, and only its features are computed; and what was ingested before a
label was in the vocabulary counts for it. Up to the Trainer, which is where it shows; posters are
small and drawn here.
"""

import dataclasses
import json
from pathlib import Path

import pytest
import tensorflow as tf
from tfx.orchestration.pipeline import Pipeline

from components.gate import report
from components.ingest import ingest
from components.trainer import kept_arrays
from pipeline import config as configuration
from pipeline import dag, data_nodes, training_nodes, windows
from pipeline.metadata_store import place
from pipeline.runners import local
from tests.ingest_sources import (
    LABELS,
    OPTIONS,
    encode,
    make_source,
    picture,
    read_index,
    write_table,
)

#: Of the first span alone, War has too few examples for the vocabulary.
FIRST = dataclasses.replace(OPTIONS, min_label_count=20)
LATER = dataclasses.replace(FIRST, grow_vocabulary=True)


def _grow(source, count, war):
    """More rows, of which each `war`-th is of that label too."""
    table, images, rows = source
    for number in range(len(rows), len(rows) + count):
        (images / f"{number:03d}.jpg").write_bytes(encode(picture(number)))
        labels = LABELS[number % 3] + ("|War" if number % war == 0 else "")
        rows.append((f"{number:03d}", f"Film {number}", labels))
    write_table(table, rows)


def _run(root):
    settings = [f"data_root={root}/data", f"workspace={root}/workspace", "window=all"]
    settings += ["gate.min_examples.test=5"]  # posters are few here
    config = configuration.load("sample", [*settings, "trainer.epochs=1"])
    window = windows.resolve(config)
    data = data_nodes.create(config, window)
    transform = dag.transform_node(config, window, data)
    training = training_nodes.create(config, window, data, transform, dag.PIXEL_CODE)
    nodes = [*data.nodes, transform, *training.nodes]
    pipeline = Pipeline(config.name, config.pipeline_root, components=nodes, enable_cache=True)
    reports = local.run(
        pipeline, place.FilePlace(root / "metadata.sqlite"), lambda *_: None, lambda _: None
    )
    return {node.id: node for node in reports}


def _bytes_of_features(root):
    return sum(path.stat().st_size for path in (root / "workspace").rglob("features.f32"))


def _of_split(spans, split):
    """Ids of the examples of a split in any of the spans."""
    lines = [line for span in spans for line in read_index(span).values()]
    return {line["id"] for line in lines if line["split"] == split}


def _with_war(spans, split):
    """Ids of the examples of a split whose source gives them the label, in any of the spans."""
    lines = [line for span in spans for line in read_index(span).values()]
    return {line["id"] for line in lines if line["split"] == split and "War" in line["labels"]}


def _listed(root):
    """Ids and labels of every file of examples that the Trainer ever listed."""
    paths = (root / "workspace" / "features" / kept_arrays.LISTINGS).iterdir()
    kept = [kept_arrays.load(path) for path in paths]
    return [(listing["ids"], listing["labels"]) for listing in kept]


def _positives(folder, id_feature, of_example):
    """The ids of a folder's examples for which `of_example` is true."""
    found = set()
    for file in sorted(Path(folder).glob("*")):
        compression = "GZIP" if file.suffix == ".gz" else ""
        for record in tf.data.TFRecordDataset(str(file), compression_type=compression):
            features = tf.train.Example.FromString(record.numpy()).features.feature
            if of_example(record, features):
                found.add(features[id_feature].bytes_list.value[0].decode())
    return found


def _description(reports):
    (model,) = reports["Trainer"].outputs["model"]
    return json.loads(Path(model.uri, "Format-Serving/assets.extra/model.json").read_text())


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("window")


def test_one_new_span_runs_what_depends_on_it_and_computes_its_features_alone(root):
    source = make_source(root, 0)
    _grow(source, 80, war=5)
    first = ingest(source[0], source[1], root / "data", FIRST).manifest
    before = _run(root)
    assert {node.state for node in before.values()} == {"run"}
    computed = _bytes_of_features(root)
    assert {node.state for node in _run(root).values()} == {"cached"}
    _grow(source, 40, war=2)
    second = ingest(source[0], source[1], root / "data", LATER).manifest
    assert (list(first["labels"]["kept"]), second["labels"]["added"]) == (
        ["Drama", "Comedy"],
        ["War"],
    )
    after = _run(root)
    assert {name for name, node in after.items() if node.state == "cached"} == {"ImportSchemaGen"}
    # Looked at are the new posters alone.
    gate = report.read(after["DataGate"].outputs["report"][0].uri)
    assert (gate["spans"], gate["window"], gate["previous"]["span"]) == ([2], [1, 2], 1)
    assert {split: facts["examples"] for split, facts in gate["splits"].items()} == (
        second["examples"]
    )
    # Trained on are all, and what was computed before is not computed again.
    trained = {
        split: first["examples"][split] + second["examples"][split] for split in ("train", "eval")
    }
    description = _description(after)
    assert description["examples"] == trained
    share = sum(trained.values()) / sum(first["examples"][split] for split in trained)
    assert _bytes_of_features(root) == round(computed * share)
    spans = [(span["number"], span["date"], span["examples"]) for span in description["spans"]]
    assert spans == [
        (1, first["date"], first["examples"]),
        (2, second["date"], second["examples"]),
    ]
    assert [span["number"] for span in _description(before)["spans"]] == [1]
    # The first span's examples count for the label that came into the vocabulary after them.
    assert description["labels"] == ["Drama", "Comedy", "War"]
    spans = [root / "data" / f"span-{number}" for number in (1, 2)]
    (raw,) = after["ExampleGen"].outputs["examples"]
    listed = _listed(root)
    (model,) = after["Trainer"].outputs["model"]
    truth = tf.saved_model.load(f"{model.uri}/Format-Serving").signatures["transform_labels"]
    for split in ("train", "eval"):
        wanted = _with_war(spans, split)
        assert wanted & set(read_index(spans[0]))
        with_war = {
            name.decode()
            for ids, labels in listed
            if labels.shape[1] == 3
            for name, row in zip(ids, labels, strict=True)
            if row[2] and name.decode() in _of_split(spans, split)
        }
        assert with_war == wanted
    # Of the test split the Trainer has seen nothing, and Transform has stored nothing of any.
    tested = _of_split(spans, "test")
    assert tested
    assert not tested & {name.decode() for ids, _ in listed for name in ids}
    for reports in (before, after):
        assert "transformed_examples" not in reports["Transform"].outputs
    # So they do for the Evaluator, which asks the model for the truth.
    asked = _positives(
        f"{raw.uri}/Split-test",
        "imdb_id",
        lambda record, _: truth(examples=record[tf.newaxis])["genres_xf"][0, 2] == 1,
    )
    assert asked == _with_war(spans, "test")
    assert {node.state for node in _run(root).values()} == {"cached"}
