"""Blessing and pushing by hand go to the workspace, where `posters run` looks."""

import json

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.serving import server
from pipeline import config as configuration
from pipeline.cli.main import OK, main
from pipeline.metadata_store import place

RUN = "20260101T000000.000000Z"


@pytest.mark.parametrize(("verb", "status"), [("bless", "refused"), ("push", "held")])
def test_with_a_cluster_configured_the_model_of_a_run_here_is_pushed_here(tmp_path, verb, status):
    settings = f"workspace={tmp_path}"
    config = configuration.load("vertex", [settings])
    model = _model(place.open_store(place.of(config)), tmp_path / "artifacts" / "model")
    outputs = {"Trainer": {"model": [model]}, "Evaluator": {"blessing": ["refused"]}}
    nodes = [{"id": node, "outputs": found} for node, found in outputs.items()]
    folder = tmp_path / "runs" / RUN
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(json.dumps({"status": status, "nodes": nodes}))
    assert main([verb, RUN, "--config=vertex", f"--set={settings}", "--reason", "seen"]) == OK
    (pushed,) = (tmp_path / "models").iterdir()
    assert (pushed / "saved_model.pb").read_text() == "model"
    assert json.loads((folder / "summary.json").read_text())["pushed_path"] == str(pushed)


def _model(store, folder) -> str:
    artifact = standard_artifacts.Model()
    artifact.uri = str(folder)
    artifact.mlmd_artifact.state = metadata_store_pb2.Artifact.LIVE
    artifact.mlmd_artifact.type_id = store.put_artifact_type(artifact.artifact_type)
    store.put_artifacts([artifact.mlmd_artifact])
    saved = folder / path_utils.serving_model_dir("") / "saved_model.pb"
    saved.parent.mkdir(parents=True)
    saved.write_text("model")
    return artifact.uri


def test_with_a_cluster_configured_what_was_pushed_here_is_served(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(server, "serve", lambda folder, *_: asked.append(folder))
    assert main(["serve", "--config=vertex", f"--set=workspace={tmp_path}"]) == OK
    assert asked == [tmp_path / "models"]
