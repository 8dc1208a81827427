"""The node that finds the model pushed last, where there is no ML Metadata to ask."""

import json
from pathlib import Path

import pytest
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.pusher import latest
from components.trainer import export

LABELS = ["Drama", "Comedy"]


def _push(models: Path, version: str, labels=LABELS, content: str = "model") -> Path:
    folder = models / version
    description = folder / export.DESCRIPTION_FILE
    description.parent.mkdir(parents=True)
    description.write_text(json.dumps({"labels": list(labels)}))
    (folder / "saved_model.pb").write_text(content)
    return folder


@pytest.fixture
def look_up(tmp_path):
    def look_up(labels=LABELS):
        model = standard_artifacts.Model()
        model.uri = str(tmp_path / "not" / "there" / "yet")
        latest.LatestPushedModelExecutor().Do(
            {}, {"model": [model]},
            {"models_folder": str(tmp_path / "models"), "labels": json.dumps(labels), "code": ""},
        )  # fmt: skip
        return model

    return look_up


def test_the_newest_version_is_copied_whole(tmp_path, look_up):
    for version in ("9", "10", "100"):
        _push(tmp_path / "models", version, content=f"model {version}")
    found = look_up()
    serving = Path(path_utils.serving_model_path(found.uri))
    assert (serving / "saved_model.pb").read_text() == "model 100"
    assert export.read_description(str(serving))["labels"] == LABELS
    assert found.get_string_custom_property(latest.SOURCE) == str(tmp_path / "models" / "100")
    assert not latest.is_empty(found)


def test_without_a_pushed_model_the_output_is_empty(tmp_path, look_up):
    found = look_up()
    assert latest.is_empty(found)
    assert found.get_string_custom_property(latest.SOURCE) == ""
    assert Path(found.uri).is_dir()


def test_models_with_other_labels_and_other_folders_are_passed_by(tmp_path, look_up):
    models = tmp_path / "models"
    wanted = _push(models, "5")
    _push(models, "6", labels=["Comedy", "Drama"])
    _push(models, "7", labels=[*LABELS, "War"])
    (models / "8").mkdir()
    (models / ".push-9").mkdir()
    (models / "notes").mkdir()
    assert look_up().get_string_custom_property(latest.SOURCE) == str(wanted)
