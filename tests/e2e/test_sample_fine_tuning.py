"""The whole DAG with the second stage switched on."""

import json
import math
from pathlib import Path

from components.trainer.learning_curves import HISTORY_FILE
from pipeline.cli.main import OK, REFUSED

FINE_TUNE = "{epochs: 2, learning_rate: 0.0005, batch_size: 128, device_batch_size: 64}"


def test_fine_tuning_trains_again_from_pixels_and_serves_the_better_model(world, first_run, capsys):
    status, summary = world.run(f"trainer.fine_tune={FINE_TUNE}")
    assert status in (OK, REFUSED)
    states = {node["id"]: node["state"] for node in summary["nodes"]}
    # Only who sees images in every epoch has Transform store them.
    assert (states["DataGate"], states["Transform"], states["Trainer"]) == ("cached", "run", "run")
    outputs = {node["id"]: node["outputs"] for node in summary["nodes"]}
    [stored] = outputs["Transform"]["transformed_examples"]
    assert {path.name for path in Path(stored).glob("Split-*")} == {"Split-train", "Split-eval"}
    files = [path for path in Path(stored).rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".tfrecord"}  # what they hold is packed already
    before = {node["id"]: node["outputs"] for node in first_run["nodes"]}
    assert "transformed_examples" not in before["Transform"]
    assert "fine-tuning 4 of the extractor's variables" in capsys.readouterr().out
    trainer = world.root / "workspace" / "artifacts" / "Trainer" / "model"
    newest = max(trainer.iterdir(), key=lambda path: int(path.name))
    history = _history(newest)
    rows = (newest.parents[1] / "model_run" / newest.name / HISTORY_FILE).read_text().splitlines()
    assert [json.loads(row) for row in rows] == history
    stages = [row["stage"] for row in history]
    assert stages == [1] * 30 + [2] * 3
    before, *tuned = history[30:]
    assert math.isclose(before["eval_macro_auc"], history[29]["eval_macro_auc"], abs_tol=1e-3)
    assert tuned[1]["loss"] < tuned[0]["loss"]
    assert list((world.root / "workspace" / "fine_tuning").iterdir()) == []
    again, summary = world.run(f"trainer.fine_tune={FINE_TUNE}")
    assert again == status
    assert {node["state"] for node in summary["nodes"]} == {"cached"}


def _history(model: Path) -> list[dict]:
    (description,) = model.rglob("assets.extra/model.json")
    return json.loads(description.read_text())["history"]
