"""Retraining as the configuration has it: what is asked, and what runs on this machine tell."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.errors import PostersError
from components.gate import basis
from components.paths import is_remote
from components.retraining import records
from components.retraining.asking import Finished
from components.retraining.question import Question
from components.retraining.settings import RetrainSettings
from pipeline import data, fingerprints, places, runs
from pipeline.config import Config

#: Settings that decide which spans are trained on, and what comes of them.
_DECISIVE = ("window", "image", "trainer", "tuner", "evaluator", "serving_check", "schema_path")


def ask_about(config: Config) -> Question:
    """What a decision is asked about.

    Raises:
      PostersError: the schema cannot be read.
    """
    data.open_root(config)  # the stores' clients are told Beam's options
    path = places.schema_path(config)
    try:
        schema = path.read_bytes()
    except OSError as error:
        raise PostersError(f"schema_path: {path} cannot be read ({error.strerror}).") from error
    least = config.retrain.min_label_posters or config.ingest.min_label_count
    return Question(
        data_root=config.data_root,
        window=config.window,
        exclude_spans=config.exclude_spans,
        models_folder=config.models_folder,
        decisions_folder=decisions_folder(config),
        accepted_folder=places.accepted_folder(config),
        gate_basis=basis.digest(
            config.gate, config.features, schema, fingerprints.code("components.gate")
        ),
        training_basis=training_basis(config.model_dump(mode="json")),
        image_feature=config.features.image,
        min_label_posters=least,
        settings=limits(config),
    )


def limits(config: Config) -> RetrainSettings:
    """The limits, with the address of the log of requests as whoever decides finds it.

    Raises:
      PostersError: a cluster's containers would not find it.
    """
    in_use = config.retrain.in_use
    if in_use is None:
        return config.retrain
    folder = in_use.folder or config.serve.log.folder
    if not is_remote(folder):
        if config.cluster and not Path(folder).is_absolute():
            raise PostersError(
                f"retrain.in_use.folder: {folder} is relative, and a job's containers start in no "
                "folder of yours. Name an address on a store, such as gs://BUCKET/requests, or the "
                "absolute path of a folder that is mounted in them."
            )
        folder = str(Path(folder).resolve())
    return dataclasses.replace(
        config.retrain, in_use=dataclasses.replace(in_use, folder=folder.rstrip("/"))
    )


def decisions_folder(config: Config) -> str:
    """Where decisions are kept."""
    return f"{config.store}/{records.FOLDER}"


def training_basis(settings: Mapping[str, Any]) -> str:
    """Digest of the settings that make a training another one.

    Args:
      settings: a whole configuration, JSON values, as a run's summary has it too.
    """
    decisive = {key: settings.get(key) for key in _DECISIVE}
    decisive["features"] = (settings.get("ingest") or {}).get("features")
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def finished_runs(workspace: Path) -> list[Finished]:
    """The runs of a workspace that came to a verdict."""
    try:
        found = runs.find_all(workspace)
    except PostersError:
        return []  # there is none yet
    return [
        Finished(
            name=run.id,
            spans={int(span["number"]): span["manifest"] for span in run.summary["spans"]},
            verdict=run.status,
            basis=training_basis(run.summary["config"]),
        )
        for run in found
        if run.status in ("pushed", "held", "refused")
        and run.summary.get("spans")
        and run.folder.parent == workspace / "runs"
    ]
