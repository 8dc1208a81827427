"""The second stage as the Trainer node runs it: its inputs, its folder and its progress."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import tensorflow as tf

from components.features import Features
from components.files import file_digest
from components.paths import to_path
from components.progress import progress
from components.trainer.fine_tuning.checkpoints import run_key
from components.trainer.fine_tuning.images import ImageSource
from components.trainer.fine_tuning.stage import FineTuned, Splits, fine_tune, steps_per_epoch
from components.trainer.head import Head
from components.trainer.settings import TrainerSettings

if TYPE_CHECKING:
    import tensorflow_transform as tft
    from tfx.components.trainer.fn_args_utils import FnArgs


def tune(
    head: Head,
    train_examples: int,
    settings: TrainerSettings,
    fn_args: FnArgs,
    transform: tft.TFTransformOutput,
    report: Callable[[Mapping[str, float | None]], None],
) -> FineTuned:
    """Runs the second stage on what the Trainer node is given.

    Checkpoints lie in `fine_tuning`, beside the feature cache.

    Args:
      head: what the first stage gave; it is changed.
      train_examples: how many images the training split has.
      settings: with `fine_tune`.
      fn_args: from TFX; see `components.trainer.run.run_fn`.
      transform: what Transform gave.
      report: called with the row of every epoch.

    Raises:
      PostersError: see `stage.fine_tune`.
    """
    train, evaluation = sources(fn_args, transform)
    steps = settings.fine_tune.epochs * steps_per_epoch(train_examples, settings)
    with progress("fine-tuning step", total=steps) as update:
        return fine_tune(
            head,
            Splits(train, evaluation, train_examples),
            settings,
            run_folder(settings, fn_args),
            update,
            report=report,
        )


def sources(fn_args: FnArgs, transform: tft.TFTransformOutput) -> tuple[ImageSource, ImageSource]:
    """The images of train and of eval."""
    config = fn_args.custom_config
    spec, features = transform.transformed_feature_spec(), Features(**config["features"])
    train, evaluation = (
        ImageSource(_files(patterns), spec, features, config["image_size"])
        for patterns in (fn_args.train_files, fn_args.eval_files)
    )
    return train, evaluation


def run_folder(settings: TrainerSettings, fn_args: FnArgs) -> Path:
    """Where the checkpoints lie, named for all that the result depends on.

    Args:
      settings: with `fine_tune`.
      fn_args: from TFX; its files of examples are read.
    """
    config = fn_args.custom_config
    chosen = dataclasses.asdict(settings)
    # Only memory depends on it: who runs out of it may choose another and go on.
    del chosen["fine_tune"]["device_batch_size"]
    splits = (fn_args.train_files, fn_args.eval_files)
    known = {name: config[name] for name in config.keys() - {"settings", "feature_cache"}}
    facts = {
        "settings": chosen,
        "examples": [[file_digest(to_path(file)) for file in _files(split)] for split in splits],
        "base_model": fn_args.base_model,
        **known,
    }
    return Path(config["feature_cache"]).parent / "fine_tuning" / run_key(facts)


def _files(patterns: Sequence[str]) -> list[str]:
    return sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
