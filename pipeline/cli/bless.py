"""`posters bless`: pushes a model that the Evaluator refused, on the record."""

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
    """Blesses the model of a refused run by hand and pushes it."""
    config = configuration.load(options.config, options.overrides).on_this_machine()
    folder, summary = pushing.read_run(config, options.version)
    _check_refused(folder.name, summary)
    reason = pushing.reason(options.reason)
    CONSOLE.print("  loading TensorFlow, TFX and Beam ...")
    with logs.to_file(folder / "bless.log"):
        pushed, record = _bless(config, folder, summary, reason)
    pushing.note_push(folder, summary, pushed, record)
    CONSOLE.print(f"Blessed by hand: the model of run {options.version}", markup=False)
    CONSOLE.print(f"Pushed to {pushed}", markup=False)
    return OK


def _check_refused(run_id: str, summary: dict[str, Any]) -> None:
    """Lets through a run that ended in a refusal, and no other."""
    if record := summary.get("by_hand"):
        raise PostersError(pushing.already(run_id, record))
    if summary["status"] == "pushed":
        raise PostersError(
            f"the model of run {run_id} was blessed by the Evaluator and pushed to "
            f"{summary['pushed_path']}; nothing is left to bless."
        )
    if summary["status"] == "held":
        raise PostersError(
            f"the model of run {run_id} was blessed by the Evaluator and held back: `posters push "
            f"{run_id}` pushes it."
        )
    if summary["status"] != "refused":
        raise PostersError(
            f"run {run_id} failed before its model was judged ({summary['error']}): mend "
            "that and run again."
        )
    pushing.check_serves(run_id, summary)


def _bless(
    config: configuration.Config, folder: Path, summary: dict[str, Any], reason: str
) -> tuple[str, ByHand]:
    """Where the model was pushed to, and what was put on the record."""
    from pipeline import by_hand
    from pipeline.metadata_store import place

    store = place.open_store(place.of(config))
    outputs = {node["id"]: node["outputs"] for node in summary["nodes"]}
    (uri,), (refusal,) = outputs["Trainer"]["model"], outputs["Evaluator"]["blessing"]
    model = by_hand.find_model(store, uri)
    if model is None or not Path(uri).is_dir():
        raise PostersError(
            f"the model of run {folder.name} lies no longer at {uri}: `posters run` trains it anew."
        )
    before = by_hand.find(store, model.id, "blessing")
    if before and by_hand.find_pushed(store, model.id):
        raise PostersError(pushing.already(before.run, dataclasses.asdict(before)))
    record = by_hand.decide("blessing", folder.name, reason, overrides=refusal)
    return pushing.push(config, model, record, folder / "bless.log"), record
