"""The Trainer node's entry point: features once, head, fine-tuning, calibration, export."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from components.features import Features
from components.progress import CONSOLE, progress
from components.trainer import calibration, export, extractor, feature_cache, fitting
from components.trainer.fine_tuning import node as fine_tuning
from components.trainer.fine_tuning.checkpoints import Checkpoints
from components.trainer.head import Head
from components.trainer.settings import TrainerSettings


@dataclasses.dataclass(frozen=True)
class _Trained:
    """What training gives, of one stage or of two; logits and labels are of eval, (N, L)."""

    extractor: Any
    head: Head
    eval_logits: np.ndarray
    eval_labels: np.ndarray
    history: list[dict[str, float | None]]
    checkpoints: Checkpoints | None = None


def run_fn(fn_args: FnArgs) -> None:
    """Trains the head on cached features, or its extractor too, and exports both as one model.

    Args:
      fn_args: from TFX. `custom_config` holds `settings` (fields of `TrainerSettings`), `features`
        (fields of `Features`), `labels` (the vocabulary), `image_size` (pixels), `feature_cache` (a
        folder), and `fingerprints` (of code and extractor: they tell TFX when to train again, and
        a fine-tuning whether checkpoints are its own).

    Raises:
      PostersError: the extractor is unusable, a split is empty, or the loss is not finite.
    """
    config = fn_args.custom_config
    settings = TrainerSettings(**config["settings"])
    labels, image_size = config["labels"], config["image_size"]
    layer = extractor.load(settings.hub_handle, image_size)
    transform = tft.TFTransformOutput(fn_args.transform_graph_path)
    train, evaluation = (
        _features(split, files, layer, transform, config)
        for split, files in (("train", fn_args.train_files), ("eval", fn_args.eval_files))
    )
    trained = _trained(layer, train, evaluation, settings, fn_args, transform)
    fitted = calibration.fit(trained.eval_logits, trained.eval_labels)
    _warn_of_absent(labels, evaluation.labels)
    parts = export.ModelParts(
        transform=transform.transform_features_layer(),
        raw_feature_spec=transform.raw_feature_spec(),
        extractor=trained.extractor,
        head=trained.head,
        calibration=fitted,
        labels=labels,
        features=Features(**config["features"]),
        image_size=image_size,
    )
    description = {
        "trainer": dataclasses.asdict(settings),
        "extractor_fingerprint": extractor.fingerprint(settings.hub_handle),
        "examples": {"train": len(train), "eval": len(evaluation)},
        "history": trained.history,
    }
    export.export(parts, fn_args.serving_model_dir, description)
    if trained.checkpoints:
        trained.checkpoints.remove()


def _features(
    split: str,
    patterns: Sequence[str],
    layer: Any,
    transform: tft.TFTransformOutput,
    config: dict[str, Any],
) -> feature_cache.CachedFeatures:
    hub_handle = config["settings"]["hub_handle"]
    source = feature_cache.FeatureSource(
        files=[file for pattern in patterns for file in tf.io.gfile.glob(pattern)],
        feature_spec=transform.transformed_feature_spec(),
        features=Features(**config["features"]),
        extractor=layer,
        extractor_fingerprint=extractor.fingerprint(hub_handle),
        image_size=config["image_size"],
    )
    computed = 0

    def show(done: int) -> None:
        nonlocal computed
        computed = done
        update(done, "images")

    with progress(f"features of {split}") as update:
        features = feature_cache.load_or_compute(Path(config["feature_cache"]), source, show)
    if not computed:
        CONSOLE.print(f"    features of {split}: {len(features)}, computed before")
    return features


def _trained(
    layer: Any,
    train: feature_cache.CachedFeatures,
    evaluation: feature_cache.CachedFeatures,
    settings: TrainerSettings,
    fn_args: FnArgs,
    transform: tft.TFTransformOutput,
) -> _Trained:
    """The head on the frozen extractor's features, and both from pixels if asked for."""
    with progress("epoch", total=settings.epochs) as update:
        fitted = fitting.fit(
            train,
            evaluation,
            settings,
            lambda row: update(row["epoch"], f"loss {row['loss']:.4f}"),
        )
    history = [{"stage": 1, **row} for row in fitted.history]
    if not settings.fine_tune:
        logits = fitting.logits(fitted.head, evaluation)
        return _Trained(layer, fitted.head, logits, evaluation.labels, history)
    tuned = fine_tuning.tune(fitted.head, len(train), settings, fn_args, transform)
    return _Trained(
        tuned.extractor,
        tuned.head,
        tuned.eval_logits,
        tuned.eval_labels,
        history + tuned.history,
        tuned.checkpoints,
    )


def _warn_of_absent(labels: Sequence[str], truth: np.ndarray) -> None:
    absent = [label for label, count in zip(labels, truth.sum(axis=0), strict=True) if not count]
    if absent:
        CONSOLE.print(
            f"    warning: no example of {', '.join(absent)} in eval; their threshold stays at "
            f"{calibration.SAFE_THRESHOLD}"
        )
