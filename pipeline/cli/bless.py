"""`posters bless`: pushes a model that was refused, on the record."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import getpass
import json
from pathlib import Path
from typing import Any

from components.errors import PostersError
from components.files import write_text
from components.progress import CONSOLE
from pipeline import config as configuration
from pipeline import run_page
from pipeline.cli.main import OK
from pipeline.runners import logs


def run(options: argparse.Namespace) -> int:
    """Blesses the model of a refused run by hand and pushes it."""
    config = configuration.load(options.config, options.overrides)
    folder = Path(config.workspace) / "runs" / options.version
    summary = _refused_run(folder)
    if not options.reason.strip():
        raise PostersError('--reason is empty: say why, such as --reason "checked by eye"')
    CONSOLE.print("  loading TensorFlow, TFX and Beam ...")
    with logs.to_file(folder / "bless.log"):
        pushed, record = _bless(config, folder, summary, options.reason.strip())
    summary |= {"status": "pushed", "pushed_path": pushed, "by_hand": record}
    write_text(folder / "summary.json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
    with contextlib.suppress(PostersError):  # what the page shows may have been removed
        run_page.write(folder)
    CONSOLE.print(f"Blessed by hand: the model of run {options.version}", markup=False)
    CONSOLE.print(f"Pushed to {pushed}", markup=False)
    return OK


def _refused_run(folder: Path) -> dict[str, Any]:
    """The summary of a run that ended in a refusal.

    Raises:
      PostersError: there is no such run, or it did not end so.
    """
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        runs = sorted(path.name for path in folder.parent.glob("*") if path.is_dir())
        known = f"the last ones are {', '.join(runs[-3:])}" if runs else "there is none yet"
        raise PostersError(
            f"there is no run {folder.name} in {folder.parent}: {known}. `posters run` prints a "
            "run's name first; --config and --set workspace=FOLDER say where it lies."
        ) from error
    if record := summary.get("by_hand"):
        raise PostersError(_already(folder.name, record))
    if summary["status"] == "pushed":
        raise PostersError(
            f"the model of run {folder.name} was blessed by the Evaluator and pushed to "
            f"{summary['pushed_path']}; nothing is left to bless."
        )
    if summary["status"] != "refused":
        raise PostersError(
            f"run {folder.name} failed before its model was judged ({summary['error']}): mend "
            "that and run again."
        )
    serving = summary.get("serving")
    if serving and not serving["serves"]:
        raise PostersError(
            f"the model of run {folder.name} does not serve, which no blessing mends: "
            f"{'; '.join(serving['reasons'])}."
        )
    return summary


def _bless(
    config: configuration.Config, folder: Path, summary: dict[str, Any], reason: str
) -> tuple[str, dict[str, str]]:
    """Where the model was pushed to, and what was put on the record."""
    from components.pusher import component as pusher
    from pipeline import blessing
    from pipeline.runners import local

    metadata_path = Path(config.workspace) / "metadata.sqlite"
    outputs = {node["id"]: node["outputs"] for node in summary["nodes"]}
    (uri,), (refusal,) = outputs["Trainer"]["model"], outputs["Evaluator"]["blessing"]
    model = blessing.find_model(metadata_path, uri)
    if model is None or not Path(uri).is_dir():
        raise PostersError(
            f"the model of run {folder.name} lies no longer at {uri}: `posters run` trains it anew."
        )
    before = blessing.find(metadata_path, model.id)
    if before and blessing.find_pushed(metadata_path, model.id):
        raise PostersError(_already(before.run, dataclasses.asdict(before)))
    record = blessing.ByHand(
        run=folder.name,
        reason=reason,
        user=getpass.getuser(),
        time=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        overrides=refusal,
    )
    pipeline = blessing.create_pipeline(config, model, record)
    try:
        reports = local.run(pipeline, metadata_path, lambda *_: None, lambda _: None)
    except local.NodeFailedError as failure:
        raise PostersError(
            f"{failure.reports[-1].id} failed: {failure.__cause__}. Log: {folder / 'bless.log'}"
        ) from failure
    (pushed,) = reports[-1].outputs["pushed_model"]
    return pushed.get_string_custom_property(pusher.DESTINATION), dataclasses.asdict(record)


def _already(run: str, record: dict[str, str]) -> str:
    return (
        f"the model of run {run} was blessed by hand already, by {record['user']} on "
        f"{record['time']}: {record['reason']}"
    )
