"""The DAG's first node: what comes out of a window is what ingest wrote, and stays what it was."""

import json
import os
from pathlib import Path

import pytest
import tensorflow as tf
from tfx.orchestration.pipeline import Pipeline
from tfx.types import standard_artifacts
from tfx.types.experimental import simple_artifacts

from components import paths
from components.errors import PostersError
from components.files import file_digest
from components.gate import accepted
from components.ingest import ingest
from components.spans import digests, record
from components.spans.executor import SPANS_FILE, ExampleGenExecutor
from components.store_path import StorePath
from pipeline import config as configuration
from pipeline import data_nodes, windows
from pipeline.metadata_store import place
from pipeline.runners import local
from pipeline.runners.reports import NodeFailedError
from tests import gcs_server, spans
from tests.ingest_sources import (
    OPTIONS,
    SPLITS,
    encode,
    folder_content,
    make_source,
    picture,
    read_all,
    write_table,
)

SPANS = (1, 2, 3)


def _grow(source, count):
    table, images, rows = source
    for number in range(len(rows), len(rows) + count):
        (images / f"{number:03d}.jpg").write_bytes(encode(picture(number)))
        rows.append((f"{number:03d}", f"Film {number}", "Drama|Comedy"))
    write_table(table, rows)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Three spans as ingest writes them."""
    folder = tmp_path_factory.mktemp("source")
    source = make_source(folder)
    for _ in SPANS:
        ingest(source[0], source[1], folder / "data", OPTIONS)
        _grow(source, 40)
    return folder / "data"


@pytest.fixture(scope="module")
def store(root):
    """The same on a store."""
    patch = pytest.MonkeyPatch()
    process, address = gcs_server.start()
    patch.setenv("STORAGE_EMULATOR_HOST", address)
    gcs_server.skip_credentials()
    there = StorePath(f"gs://{gcs_server.BUCKET}/data")
    for name, content in folder_content(root).items():
        (there / name).write_bytes(content)
    yield there
    process.terminate()
    process.wait()
    patch.undo()


def _config(root, workspace, window):
    settings = [f"data_root={root}", f"workspace={workspace}", f"window={window}"]
    return configuration.load("sample", settings)


def _run(root, workspace, window="all"):
    config = _config(root, workspace, window)
    node = data_nodes.create(config, windows.resolve(config)).examples
    pipeline = Pipeline(config.name, config.pipeline_root, components=[node], enable_cache=True)
    metadata = place.FilePlace(workspace / "metadata.sqlite")
    return local.run(pipeline, metadata, lambda *_: None, lambda _: None)


def _artifacts(reports):
    (report,) = reports
    return (report.outputs[key][0] for key in ("examples", "new_examples"))


def _read(folder):
    """Every example by id, with its split, of an artifact; an id twice is a mistake."""
    found = {}
    for split in SPLITS:
        for file in paths.to_path(f"{folder}/Split-{split}").glob("*"):
            with paths.local_copy(file) as copy:
                for item in tf.data.TFRecordDataset(str(copy)):
                    features = tf.train.Example.FromString(item.numpy()).features.feature
                    identifier = features["imdb_id"].bytes_list.value[0].decode()
                    assert identifier not in found
                    image = features["poster"].bytes_list.value[0]
                    found[identifier] = (split, image, list(features["genres"].bytes_list.value))
    return found


def _written(root, numbers):
    """The same as ingest wrote it."""
    return {
        identifier: (example["split"], example["poster"], example["genres"])
        for number in numbers
        for identifier, example in read_all(root / f"span-{number}").items()
    }


@pytest.mark.parametrize(
    ("window", "numbers"), [("all", SPANS), ("{last: 2}", (2, 3)), ("[1, 3]", (1, 3)), ("2", (2,))]
)
def test_pixels_labels_and_ids_of_a_window_are_those_that_ingest_wrote(
    root, tmp_path, window, numbers
):
    before = folder_content(root)
    examples, new = _artifacts(_run(root, tmp_path, window))
    wanted = _written(root, numbers)
    assert _read(examples.uri) == wanted
    assert _read(new.uri) == wanted
    assert json.loads(examples.split_names) == list(SPLITS)
    assert examples.span == max(numbers)
    assert folder_content(root) == before
    window = record.read(examples.uri)
    files = {str(file): file for file in Path(examples.uri).glob("Split-*/*")}
    recorded = {f"{examples.uri}/{name}" for span in window.spans for name in span.files}
    assert files.keys() == recorded
    assert digests.of(files) == {name: file_digest(file) for name, file in files.items()}
    assert [span.number for span in window.spans] == list(numbers)
    assert window.new == numbers
    for span in window.spans:
        manifest = json.loads((root / f"span-{span.number}" / "manifest.json").read_text())
        assert (span.examples, span.date) == (manifest["examples"], manifest["date"])
        assert {label: span.labels[label] for label in ("Drama", "Comedy")} == (
            manifest["labels"]["kept"]
        )


def test_the_splits_of_a_window_are_disjoint(root, tmp_path):
    examples, _ = _artifacts(_run(root, tmp_path))
    found = _read(examples.uri)  # refuses an id that comes twice, in one split or in two
    assert len(found) == 120
    images = {}
    for split, image, _ in found.values():
        images.setdefault(image, set()).add(split)
    assert {len(splits) for splits in images.values()} == {1}


def test_shards_are_brought_without_being_copied_and_outlive_nothing(root, tmp_path):
    examples, _ = _artifacts(_run(root, tmp_path, "1"))
    (shard,) = (root / "span-1" / "eval").iterdir()
    (brought,) = Path(examples.uri, "Split-eval").iterdir()
    assert shard.samefile(brought)
    content = shard.read_bytes()
    brought.unlink()  # as a clean-up does
    assert shard.read_bytes() == content


def test_where_there_are_no_links_shards_are_copied(root, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    examples, _ = _artifacts(_run(root, tmp_path))
    assert _read(examples.uri) == _written(root, SPANS)


def test_a_window_of_a_store_comes_whole(root, store, tmp_path):
    examples, new = _artifacts(_run(store, tmp_path, "[1, 3]"))
    assert _read(examples.uri) == _read(new.uri) == _written(root, (1, 3))


def test_from_store_to_store_as_on_a_cluster(root, store, tmp_path):
    config = _config(store, tmp_path, "all")
    node = data_nodes.create(config, windows.resolve(config)).examples
    outputs = _outputs(f"gs://{gcs_server.BUCKET}/artifacts")
    ExampleGenExecutor().Do({}, outputs, node.exec_properties)
    assert _read(outputs["examples"][0].uri) == _written(root, SPANS)
    assert record.read(outputs["new_examples"][0].uri).new == SPANS


def test_only_what_no_gate_let_through_is_new(root, tmp_path):
    config = _config(root, tmp_path, "all")
    window = windows.resolve(config).spans
    folder = data_nodes.accepted_folder(config)

    def accept(span, digest):
        accepted.record(folder, accepted.Accepted(span.number, "x", digest, span.examples))

    accept(window[0], window[0].digest)
    accept(window[1], "of other data that had this number")
    _, new = _artifacts(_run(root, tmp_path))
    assert record.read(new.uri).new == (2, 3)
    assert _read(new.uri) == _written(root, (2, 3))
    # Nothing changed: what was new stays new, and all that follows is cached.
    for span in window:
        accept(span, span.digest)
    (again,) = _run(root, tmp_path)
    assert (again.state, again.outputs["new_examples"][0].uri) == ("cached", new.uri)
    # Another window, of which all was let through: the newest is looked at once more.
    _, new = _artifacts(_run(root, tmp_path, "{last: 2}"))
    assert record.read(new.uri).new == (3,)


def _outputs(folder):
    outputs = {key: [standard_artifacts.Examples()] for key in ("examples", "new_examples")}
    for key, (artifact,) in outputs.items():
        artifact.uri = f"{folder}/{key}"
    return outputs


def test_a_first_run_over_a_year_of_spans_has_them_all_as_new(tmp_path):
    year = tuple(number for number in range(1, 54) if number != 4)
    few = {split: spans.rows(4) for split in SPLITS}
    for number in year:
        spans.write_span(tmp_path / "data", number, few)
    config = _config(tmp_path / "data", tmp_path, "all")
    node = data_nodes.create(config, windows.resolve(config)).examples
    outputs = _outputs(tmp_path)
    ExampleGenExecutor().Do({}, outputs, node.exec_properties)
    for (artifact,) in outputs.values():
        assert record.read(artifact.uri).new == year
        names = sorted(path.name for path in Path(artifact.uri, "Split-test").iterdir())
        assert names[8] == "span-00010-data-00000-of-00001.tfrecord"
        assert len(names) == len(year) == 52


def test_which_spans_may_be_said_when_the_node_runs(root, tmp_path):
    """As a scheduled job on a cluster has to, whose DAG was built long before."""
    config = _config(root, tmp_path, "1")
    node = data_nodes.create(config, windows.resolve(config)).examples
    later = windows.resolve(_config(root, tmp_path, "[2, 3]"))
    said = {str(span.number): span.digest for span in later.spans}
    decided = simple_artifacts.File()
    decided.uri = str(tmp_path)
    (tmp_path / SPANS_FILE).write_text(json.dumps(said))
    outputs = _outputs(tmp_path)
    ExampleGenExecutor().Do({"window": [decided]}, outputs, node.exec_properties)
    assert _read(outputs["examples"][0].uri) == _written(root, (2, 3))


def test_damage_is_named_before_anything_is_trained_on_it(root, tmp_path):
    data = tmp_path / "data"
    for name, content in folder_content(root).items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(content)
    (shard,) = (data / "span-2" / "test").iterdir()
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(NodeFailedError) as failure:
        _run(data, tmp_path)
    cause = failure.value.__cause__
    assert isinstance(cause, PostersError)
    assert str(cause).startswith(f"{shard} is {shard.stat().st_size} bytes, and its manifest.json")
    shard.unlink()
    with pytest.raises(NodeFailedError) as failure:
        _run(data, tmp_path)
    assert str(failure.value.__cause__).startswith(f"{shard} is missing")


def test_a_job_that_was_made_for_another_span_or_vocabulary_stops(root, tmp_path):
    config = _config(root, tmp_path, "all")
    properties = data_nodes.create(config, windows.resolve(config)).examples.exec_properties
    changed = {"spans": json.dumps({"1": "0" * 64}), "labels": json.dumps(["Drama"])}
    with pytest.raises(PostersError, match="span-1 is not the span that it was"):
        ExampleGenExecutor().Do({}, {}, {**properties, "spans": changed["spans"]})
    with pytest.raises(PostersError, match="2 labels, and the job was made for 1: Comedy differs"):
        ExampleGenExecutor().Do({}, {}, {**properties, "labels": changed["labels"]})
