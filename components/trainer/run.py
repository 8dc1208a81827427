"""The Trainer node's entry point: features once, head, calibration, export."""

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
from components.trainer import calibration, export, extraction, extractor, head, listing
from components.trainer.cached_features import CachedFeatures
from components.trainer.settings import TrainerSettings


def run_fn(fn_args: FnArgs) -> None:
    """Trains the head on cached features and exports extractor and head as one model.

    Args:
      fn_args: from TFX. `custom_config` holds `settings` (fields of `TrainerSettings`), `features`
        (fields of `Features`), `labels` (the vocabulary), `image_size` (pixels), `views` (names),
        `feature_cache` (a folder), and `fingerprints` (of code and extractor; they only tell TFX
        when to train again).

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
    model = _fit(train, settings)
    fitted = calibration.fit(head.logits(model, evaluation), evaluation.labels)
    _warn_of_absent(labels, evaluation.labels)
    parts = export.ModelParts(
        transform=transform.transform_features_layer(),
        raw_feature_spec=transform.raw_feature_spec(),
        extractor=layer,
        head=model,
        calibration=fitted,
        labels=labels,
        features=Features(**config["features"]),
        image_size=image_size,
        views=config["views"],
    )
    description = {
        "trainer": dataclasses.asdict(settings),
        "extractor_fingerprint": extractor.fingerprint(settings.hub_handle),
        "examples": {"train": len(train), "eval": len(evaluation)},
    }
    export.export(parts, fn_args.serving_model_dir, description)


def _features(
    split: str,
    patterns: Sequence[str],
    layer: Any,
    transform: tft.TFTransformOutput,
    config: dict[str, Any],
) -> CachedFeatures:
    hub_handle = config["settings"]["hub_handle"]
    source = extraction.FeatureSource(
        examples=listing.Examples(
            files=[file for pattern in patterns for file in tf.io.gfile.glob(pattern)],
            feature_spec=transform.transformed_feature_spec(),
            features=Features(**config["features"]),
        ),
        extractor=layer,
        extractor_fingerprint=extractor.fingerprint(hub_handle),
        image_size=config["image_size"],
        views=config["views"],
    )
    what = "images" if len(source.views) == 1 else f"images x {len(source.views)} views"
    computed = 0

    def show(done: int) -> None:
        nonlocal computed
        computed = done
        update(done, what)

    with progress(f"features of {split}") as update:
        features = extraction.load_or_compute(Path(config["feature_cache"]), source, show)
    if not computed:
        CONSOLE.print(f"    features of {split}: {len(features)}, computed before")
    return features


def _fit(train: CachedFeatures, settings: TrainerSettings) -> Any:
    with progress("epoch", total=settings.epochs) as update:
        return head.fit(train, settings, lambda epoch, loss: update(epoch, f"loss {loss:.4f}"))


def _warn_of_absent(labels: Sequence[str], truth: np.ndarray) -> None:
    absent = [label for label, count in zip(labels, truth.sum(axis=0), strict=True) if not count]
    if absent:
        CONSOLE.print(
            f"    warning: no example of {', '.join(absent)} in eval; their threshold stays at "
            f"{calibration.SAFE_THRESHOLD}"
        )
