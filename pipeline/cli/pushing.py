"""What the verbs that push by hand share: `bless`, `push` and `rollback`."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import PostersError
from components.files import write_text
from pipeline import run_page

if TYPE_CHECKING:
    from tfx.types import standard_artifacts

    from pipeline.by_hand import ByHand
    from pipeline.config import Config


def reason(text: str) -> str:
    """A reason as it was given, stripped.

    Raises:
      PostersError: it is empty.
    """
    if not text.strip():
        raise PostersError('--reason is empty: say why, such as --reason "checked by eye"')
    return text.strip()


def read_run(config: Config, run: str) -> tuple[Path, dict[str, Any]]:
    """The folder and the summary of a run.

    Args:
      config: whose workspace it lies in.
      run: its id.

    Raises:
      PostersError: there is none, or it left no summary.
    """
    folder = Path(config.workspace) / "runs" / run
    try:
        return folder, json.loads((folder / run_page.SUMMARY).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        runs = sorted(path.name for path in folder.parent.glob("*") if path.is_dir())
        known = f"the last ones are {', '.join(runs[-3:])}" if runs else "there is none yet"
        raise PostersError(
            f"there is no run {folder.name} in {folder.parent}: {known}. `posters run` prints a "
            "run's name first; --config and --set workspace=FOLDER say where it lies."
        ) from error


def check_serves(run: str, summary: dict[str, Any]) -> None:
    """Refuses a model that ServingCheck found not to serve."""
    serving = summary.get("serving")
    if serving and not serving["serves"]:
        raise PostersError(
            f"the model of run {run} does not serve, which no decision mends: "
            f"{'; '.join(serving['reasons'])}."
        )


def already(run: str, record: dict[str, str]) -> str:
    """That a model was blessed or pushed by hand before, in words."""
    what = "pushed" if record.get("kind") == "push" else "blessed"
    return (
        f"the model of run {run} was {what} by hand already, by {record['user']} on "
        f"{record['time']}: {record['reason']}"
    )


def push(config: Config, model: standard_artifacts.Model, given: ByHand, log: Path) -> str:
    """Records a decision and pushes its model.

    Args:
      config: where things lie.
      model: the model, as ML Metadata knows it.
      given: the decision.
      log: where what the nodes write goes; named if one fails.

    Returns:
      The folder of the new version.

    Raises:
      PostersError: the push failed, or a run is under way.
    """
    from components.pusher import component as pusher
    from pipeline import by_hand
    from pipeline.metadata_store import place
    from pipeline.runners import local

    pipeline = by_hand.create_pipeline(config, model, given)
    try:
        reports = local.run(pipeline, place.of(config), lambda *_: None, lambda _: None)
    except local.NodeFailedError as failure:
        raise PostersError(
            f"{failure.reports[-1].id} failed: {failure.__cause__}. Log: {log}"
        ) from failure
    (pushed,) = reports[-1].outputs["pushed_model"]
    return pushed.get_string_custom_property(pusher.DESTINATION)


def note_push(folder: Path, summary: dict[str, Any], pushed: str, record: ByHand) -> None:
    """Writes into a run's summary and page that its model was pushed by hand."""
    update(folder, summary | {
        "status": "pushed",
        "pushed_path": pushed,
        "served_version": Path(pushed).name,
        "by_hand": dataclasses.asdict(record),
    })  # fmt: skip


def update(folder: Path, summary: dict[str, Any]) -> None:
    """Writes a run's summary anew, and the page after it."""
    text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
    write_text(folder / run_page.SUMMARY, text)
    with contextlib.suppress(PostersError):  # what the page shows may have been removed
        run_page.write(folder)
