"""What Trainer and Tuner train on: the features of both splits, computed once for both nodes."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from components.features import Features
from components.progress import CONSOLE, progress
from components.trainer import extraction, extractor
from components.trainer.cached_features import CachedFeatures
from components.trainer.examples import Examples, RawExamples, StoredExamples
from components.undecodable import naming_undecodable_images
from components.views import geometries


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a training starts from.

    Attributes:
      train: features and labels of the training split.
      evaluation: the same of the eval split.
      extractor: the frozen layer that the features come from.
      extractor_fingerprint: tells that extractor from every other.
      transform: Transform's output.
    """

    train: CachedFeatures
    evaluation: CachedFeatures
    extractor: Any
    extractor_fingerprint: str
    transform: tft.TFTransformOutput


def load(fn_args: FnArgs) -> Inputs:
    """Loads the extractor and reads or computes the features of both splits.

    Args:
      fn_args: from TFX; see `run.run_fn`.

    Raises:
      PostersError: the extractor is unusable, a split is empty, or an image cannot be decoded.
    """
    config = fn_args.custom_config
    handle = config["settings"]["hub_handle"]
    kept = extractor.kept_folder(config["feature_cache"])
    layer = extractor.load(handle, config["image_size"], kept)
    transform = tft.TFTransformOutput(fn_args.transform_graph_path)
    splits = [
        examples(patterns, transform, config)
        for patterns in (fn_args.train_files, fn_args.eval_files)
    ]
    content = extractor.fingerprint(handle)
    source = extraction.FeatureSource(
        examples=splits[0],
        extractor=layer,
        extractor_fingerprint=content,
        code=config["fingerprints"]["embedding"],
        image_size=config["image_size"],
        views=config["views"],
    )
    train, evaluation = _features(source, splits, Path(config["feature_cache"]))
    return Inputs(train, evaluation, layer, content, transform)


def examples(
    patterns: Sequence[str], transform: tft.TFTransformOutput, config: dict[str, Any]
) -> Examples:
    """The examples of a split, of which TFX names the files by patterns."""
    files = [file for pattern in patterns for file in tf.io.gfile.glob(pattern)]
    features = Features(**config["features"])
    if config["materialized"]:
        spec = transform.transformed_feature_spec()
        return StoredExamples(files, spec, features, geometries(config["views"]))
    return RawExamples(files, transform.raw_feature_spec(), features, config["labels"])


def _features(
    source: extraction.FeatureSource, splits: Sequence[Examples], cache: Path
) -> list[CachedFeatures]:
    what = "images" if len(source.views) == 1 else f"images x {len(source.views)} views"
    computed = 0

    def show(done: int) -> None:
        nonlocal computed
        computed = done
        update(done, what)

    with progress("features") as update, _naming_undecodable(splits):
        found = extraction.of_splits(cache, source, splits, show)
    if not computed:
        train, evaluation = map(len, found)
        CONSOLE.print(f"    features: {train} of train, {evaluation} of eval, computed before")
    return found


def _naming_undecodable(splits: Sequence[Examples]) -> contextlib.AbstractContextManager[None]:
    """Has a failure name the images at fault; those that Transform stored have been decoded."""
    if isinstance(splits[0], StoredExamples):
        return contextlib.nullcontext()
    folders = sorted({file.rpartition("/")[0] for split in splits for file in split.files})
    return naming_undecodable_images(folders, splits[0].features)
