"""`posters rollback`: makes an earlier version serve again, on the record."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import PostersError
from components.progress import CONSOLE
from pipeline import config as configuration
from pipeline import runs
from pipeline.cli import pushing
from pipeline.cli.main import OK
from pipeline.history import served
from pipeline.runners import logs

if TYPE_CHECKING:
    import ml_metadata as mlmd
    from tfx.types import standard_artifacts

    from pipeline.by_hand import ByHand

_SHOWN = 5


def run(options: argparse.Namespace) -> int:
    """Publishes the model of an earlier version anew, under a higher number."""
    config = configuration.load(options.config, options.overrides).on_this_machine()
    reason = pushing.reason(options.reason)
    serving = served.version(config.models_folder)
    if serving is None:
        raise PostersError(
            f"nothing was pushed to {config.models_folder} yet: `posters run` pushes a model."
        )
    if options.version == serving:
        raise PostersError(f"version {serving} serves already; there is nothing to roll back.")
    log = Path(config.workspace) / "rollback.log"
    CONSOLE.print("  loading TensorFlow, TFX and Beam ...")
    with logs.to_file(log):
        pushed, record, model = _roll_back(config, options.version, serving, reason, log)
    _note(config, model.uri, pushed, record)
    CONSOLE.print(
        f"The model of version {options.version} serves again, as version {Path(pushed).name}; "
        f"before it, {serving} did.",
        markup=False,
    )
    CONSOLE.print(f"Pushed to {pushed}", markup=False)
    CONSOLE.print("The next run compares its model with this one.")
    return OK


def _roll_back(
    config: configuration.Config, version: str, serving: str, reason: str, log: Path
) -> tuple[str, ByHand, standard_artifacts.Model]:
    """Where the model was pushed to, what was put on the record, and the model."""
    from pipeline import by_hand
    from pipeline.metadata_store import place

    store = place.open_store(place.of(config))
    model = _model_of(store, config, version)
    if served_model := _find(store, config, serving):
        _check_other(served_model, model.id, version, serving)
    if not Path(model.uri).is_dir():
        raise PostersError(
            f"the model of version {version} lies no longer at {model.uri}; someone removed it. "
            "Name another version, or train it again with the settings that `posters lineage "
            f"{version}` tells."
        )
    run_id = next((run.id for run in _runs_of(config, model.uri)), "")
    record = by_hand.decide("rollback", run_id, reason, overrides=serving)
    return pushing.push(config, model, record, log), record, model


def _check_other(served_model: int, wanted: int, version: str, serving: str) -> None:
    if served_model == wanted:
        raise PostersError(
            f"version {version} is the same model as {serving}, which serves; there is nothing to "
            "roll back."
        )


def _find(store: mlmd.MetadataStore, config: configuration.Config, version: str) -> int | None:
    """The id of the model that was pushed as a version, or None if ML Metadata knows of none."""
    from components.pusher import component as pusher
    from components.pusher import pushes
    from pipeline import by_hand

    destination = f"{config.models_folder}/{version}"
    for pushed in by_hand.find_versions(store):
        if pushed.get_string_custom_property(pusher.DESTINATION) == destination:
            return pushes.models_of(store, [pushed.id]).get(pushed.id)
    return None


def _model_of(
    store: mlmd.MetadataStore, config: configuration.Config, version: str
) -> standard_artifacts.Model:
    from components.pusher import component as pusher
    from pipeline import by_hand

    model_id = _find(store, config, version)
    if model_id is None:
        known = [
            found.get_string_custom_property(pusher.VERSION)
            for found in by_hand.find_versions(store)
            if found.get_string_custom_property(pusher.DESTINATION).startswith(
                config.models_folder + "/"
            )
        ]
        some = f"the last ones are {', '.join(known[:_SHOWN])}" if known else "there is none"
        raise PostersError(
            f"no version {version} was pushed to {config.models_folder} by a run that ML Metadata "
            f"knows: {some}."
        )
    [artifact] = store.get_artifacts_by_id([model_id])
    model = by_hand.find_model(store, artifact.uri)
    if model is None:
        raise PostersError(f"the model of version {version} was removed: name another version.")
    return model


def _runs_of(config: configuration.Config, model_uri: str) -> list[runs.Run]:
    """The runs that ended with a model, the newest first."""
    found = runs.find_all(Path(config.workspace))
    return [run for run in found if run.output("Trainer", "model") == model_uri]


def _note(config: configuration.Config, model_uri: str, pushed: str, record: ByHand) -> None:
    """Writes into the summaries of a model's runs that it was pushed again."""
    again: dict[str, Any] = {"pushed_path": pushed, **dataclasses.asdict(record)}
    for run in _runs_of(config, model_uri):
        earlier = run.summary.get("pushed_again") or []
        pushing.update(run.folder, {**run.summary, "pushed_again": [*earlier, again]})
