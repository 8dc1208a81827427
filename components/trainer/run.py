"""The Trainer node's entry point: features once, head, calibration, export."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from tfx.components.trainer.fn_args_utils import FnArgs

from components.features import Features
from components.progress import CONSOLE, progress
from components.trainer import (
    calibration,
    export,
    extractor,
    fitting,
    head_weights,
    hyperparameters,
    inputs,
    warm_start,
)
from components.trainer.head import Head
from components.trainer.settings import TrainerSettings
from components.trainer.warm_start import WarmStart


def run_fn(fn_args: FnArgs) -> None:
    """Trains the head on cached features and exports extractor and head as one model.

    Args:
      fn_args: from TFX. `custom_config` holds `settings` (fields of `TrainerSettings`), `features`
        (fields of `Features`), `labels` (the vocabulary), `image_size` (pixels), `views` (names),
        `feature_cache` (a folder), and `fingerprints` (of code and extractor; they only tell TFX
        when to train again). `hyperparameters` are the Tuner's and `base_model` the model to go on
        from, where the pipeline has such.

    Raises:
      PostersError: the extractor is unusable, a split is empty, or the loss is not finite.
    """
    config = fn_args.custom_config
    given = TrainerSettings(**config["settings"])
    settings = _tuned(given, fn_args)
    found = inputs.load(fn_args)
    common = {
        "extractor_fingerprint": extractor.fingerprint(settings.hub_handle),
        "image_size": config["image_size"],
        "views": list(config["views"]),
    }
    network = fitting.new_head(found.train, settings)
    started = _warm_started(network, fn_args, settings, common)
    fitted = _fit(found, settings, network)
    evaluation = found.evaluation
    calibrated = calibration.fit(
        fitting.logits(network, evaluation), evaluation.labels, settings.decision
    )
    _warn_of_absent(config["labels"], evaluation.labels)
    parts = export.ModelParts(
        transform=found.transform.transform_features_layer(),
        raw_feature_spec=found.transform.raw_feature_spec(),
        extractor=found.extractor,
        head=network,
        calibration=calibrated,
        labels=config["labels"],
        features=Features(**config["features"]),
        image_size=config["image_size"],
        views=config["views"],
    )
    description = {
        **common,
        "trainer": dataclasses.asdict(settings),
        "tuned": hyperparameters.changes(given, settings) if fn_args.hyperparameters else None,
        **(started.description() if started else {}),
        "examples": {"train": len(found.train), "eval": len(evaluation)},
        "history": fitted.history,
    }
    export.export(parts, fn_args.serving_model_dir, description)
    head_weights.write(network, fn_args.serving_model_dir)


def _tuned(given: TrainerSettings, fn_args: FnArgs) -> TrainerSettings:
    """The given settings, or those that the Tuner found to be better."""
    if not fn_args.hyperparameters:
        return given
    settings = hyperparameters.apply(given, fn_args.hyperparameters["values"])
    for key, change in hyperparameters.changes(given, settings).items():
        CONSOLE.print(f"    {key}: {change['used']}, says the Tuner", markup=False)
    return settings


def _warm_started(
    network: Head, fn_args: FnArgs, settings: TrainerSettings, common: dict[str, Any]
) -> WarmStart | None:
    """Goes on from the last blessed model, if that is wanted and possible."""
    if not settings.warm_start:
        return None
    labels = fn_args.custom_config["labels"]
    started = warm_start.start(network, labels, fn_args.base_model, common)
    CONSOLE.print(f"    the head {started}", markup=False)
    return started


def _fit(found: inputs.Inputs, settings: TrainerSettings, network: Head) -> fitting.Fitted:
    with progress("epoch", total=settings.epochs) as update:
        return fitting.fit(
            found.train,
            found.evaluation,
            settings,
            lambda row: update(row["epoch"], f"loss {row['loss']:.4f}"),
            start=network,
        )


def _warn_of_absent(labels: Sequence[str], truth: np.ndarray) -> None:
    absent = [label for label, count in zip(labels, truth.sum(axis=0), strict=True) if not count]
    if absent:
        CONSOLE.print(
            f"    warning: no example of {', '.join(absent)} in eval; their threshold stays at "
            f"{calibration.SAFE_THRESHOLD}"
        )
