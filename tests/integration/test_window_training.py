"""A window that grows, trained on: only what is new is looked at, and only its features computed.

Up to the Trainer, which is where it shows; posters are small and drawn here.
"""

import json
from pathlib import Path

import pytest
from tfx.orchestration.pipeline import Pipeline

from components.gate import report
from components.ingest import ingest
from pipeline import config as configuration
from pipeline import dag, data_nodes, training_nodes, windows
from pipeline.metadata_store import place
from pipeline.runners import local
from tests.ingest_sources import LABELS, OPTIONS, encode, make_source, picture, write_table


def _grow(source, count):
    table, images, rows = source
    for number in range(len(rows), len(rows) + count):
        (images / f"{number:03d}.jpg").write_bytes(encode(picture(number)))
        rows.append((f"{number:03d}", f"Film {number}", LABELS[number % 3]))
    write_table(table, rows)


def _run(root):
    settings = [f"data_root={root}/data", f"workspace={root}/workspace", "window=all"]
    settings += ["gate.min_examples.test=5"]  # posters are few here
    config = configuration.load("sample", [*settings, "trainer.epochs=1"])
    window = windows.resolve(config)
    data = data_nodes.create(config, window)
    transform = dag.transform_node(config, window, data)
    training = training_nodes.create(config, window, transform, data.schema, dag.PIXEL_CODE)
    nodes = [*data.nodes, transform, *training.nodes]
    pipeline = Pipeline(config.name, config.pipeline_root, components=nodes, enable_cache=True)
    reports = local.run(
        pipeline, place.FilePlace(root / "metadata.sqlite"), lambda *_: None, lambda _: None
    )
    return {node.id: node for node in reports}


def _bytes_of_features(root):
    return sum(path.stat().st_size for path in (root / "workspace").rglob("features.f32"))


def _description(reports):
    (model,) = reports["Trainer"].outputs["model"]
    return json.loads(Path(model.uri, "Format-Serving/assets.extra/model.json").read_text())


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("window")


def test_one_new_span_runs_what_depends_on_it_and_computes_its_features_alone(root):
    source = make_source(root, 80)
    first = ingest(source[0], source[1], root / "data", OPTIONS).manifest
    before = _run(root)
    assert {node.state for node in before.values()} == {"run"}
    computed = _bytes_of_features(root)
    assert {node.state for node in _run(root).values()} == {"cached"}
    _grow(source, 40)
    second = ingest(source[0], source[1], root / "data", OPTIONS).manifest
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
    assert {node.state for node in _run(root).values()} == {"cached"}
