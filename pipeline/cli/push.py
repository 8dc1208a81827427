"""`posters push`: pushes a blessed model that the configuration holds back for a person."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import PostersError
from components.progress import CONSOLE
from pipeline import config as configuration
from pipeline.cli import pushing
from pipeline.cli.main import OK
from pipeline.runners import logs

if TYPE_CHECKING:
    from pipeline.by_hand import ByHand


def run(options: argparse.Namespace) -> int:
    """Pushes the model of a run that was held back."""
    config = configuration.load(options.config, options.overrides).on_this_machine()
    folder, summary = pushing.read_run(config, options.run)
    _check_held(folder.name, summary)
    reason = pushing.reason(options.reason)
    CONSOLE.print("  loading TensorFlow, TFX and Beam ...")
    with logs.to_file(folder / "push.log"):
        pushed, record = _push(config, folder, summary, reason)
    pushing.note_push(folder, summary, pushed, record)
    CONSOLE.print(f"Pushed to {pushed}", markup=False)
    return OK


def _check_held(run_id: str, summary: dict[str, Any]) -> None:
    """Lets through a run whose model waits for a person, and no other."""
    if record := summary.get("by_hand"):
        raise PostersError(pushing.already(run_id, record))
    if summary["status"] == "pushed":
        raise PostersError(
            f"the model of run {run_id} was pushed to {summary['pushed_path']} already. To serve "
            "an earlier version again: posters rollback VERSION --reason WHY"
        )
    pushing.check_serves(run_id, summary)
    if summary["status"] == "refused":
        raise PostersError(
            f"the model of run {run_id} was refused: `posters push` pushes what was blessed. To "
            f"overrule the Evaluator: posters bless {run_id} --reason WHY"
        )
    if summary["status"] != "held":
        raise PostersError(
            f"run {run_id} failed before its model could be pushed ({summary['error']}): mend "
            "that and run again."
        )


def _push(
    config: configuration.Config, folder: Path, summary: dict[str, Any], reason: str
) -> tuple[str, ByHand]:
    """Where the model was pushed to, and what was put on the record."""
    from pipeline import by_hand
    from pipeline.metadata_store import place

    store = place.open_store(place.of(config))
    outputs = {node["id"]: node["outputs"] for node in summary["nodes"]}
    (uri,) = outputs["Trainer"]["model"]
    model = by_hand.find_model(store, uri)
    if model is None or not Path(uri).is_dir():
        raise PostersError(
            f"the model of run {folder.name} lies no longer at {uri}: `posters run` trains it anew."
        )
    before = by_hand.find(store, model.id, "push")
    if before and by_hand.find_pushed(store, model.id):
        raise PostersError(pushing.already(before.run, dataclasses.asdict(before)))
    record = by_hand.decide("push", folder.name, reason)
    return pushing.push(config, model, record, folder / "push.log"), record
