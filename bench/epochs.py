"""Features once, or again in every epoch: what the Trainer saves over a training loop on images.

    python -m bench.epochs --images DIR [--posters 1500] --config local \
        --set trainer.hub_handle=MODULE

Both train the configuration's head for its epochs, from the same weights, on the same batches, and
score a sixth of the images after each epoch. One passes every image forward once and keeps the
features; the other passes it forward whenever it comes up, as the usual tutorial does. Then the
first trains again with another learning rate. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from bench import stored
from components import pixels
from components.data_sets import PARALLEL, untuned
from components.features import Features
from components.progress import progress
from components.trainer import extraction, fitting
from components.trainer.cached_features import CachedFeatures
from components.trainer.settings import TrainerSettings
from pipeline import config as configuration

_FEATURES = Features()
_LABELS = 20
_BATCH = 64


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recomputed(CachedFeatures):
    """A split whose features are computed anew whenever rows are taken.

    Attributes:
      images: (N,) encoded, at the extractor's size.
      source: the extractor and the size.
    """

    images: np.ndarray
    source: extraction.FeatureSource

    def take(self, rows: np.ndarray | slice) -> np.ndarray:
        """See the base class."""
        taken, size = self.images[rows], self.source.image_size
        images = tf.data.Dataset.from_tensor_slices(taken).map(
            lambda image: pixels.decode_stored(image, size), num_parallel_calls=PARALLEL
        )
        batches = untuned(images.batch(_BATCH).prefetch(2))
        return np.concatenate(
            [self.source.extractor(pixels.normalize(batch)).numpy() for batch in batches]
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.epochs")
    parser.add_argument("--images", type=Path, required=True, help="a folder of images")
    parser.add_argument("--posters", type=int, default=1500, help="how many of them to take")
    parser.add_argument("--only-once", action="store_true", help="leave the slow one out")
    parser.add_argument("--config", default="sample")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args(arguments)
    config = configuration.load(options.config, options.overrides)
    images = sorted(options.images.iterdir())[: options.posters]
    held_out = len(images) // 6
    with tempfile.TemporaryDirectory(prefix="posters-bench-") as name:
        folder = Path(name)
        sources = [
            _source(config, images[held_out:], folder / "train.gz"),
            _source(config, images[:held_out], folder / "eval.gz"),
        ]
        started = time.monotonic()
        train, evaluation = (
            extraction.load_or_compute(folder / "features", source, int) for source in sources
        )
        figures = {"posters": len(images), "features_seconds": time.monotonic() - started}
        settings = config.trainer
        figures["head_seconds"] = _fit(train, evaluation, train, settings)
        faster = dataclasses.replace(settings, learning_rate=settings.learning_rate / 2)
        started = time.monotonic()
        again = [extraction.load_or_compute(folder / "features", source, int) for source in sources]
        figures["features_seconds_again"] = time.monotonic() - started
        _fit(*again, train, faster)
        if not options.only_once:
            slow = [
                Recomputed(**vars(split), images=_stored(source), source=source)
                for split, source in zip((train, evaluation), sources, strict=True)
            ]
            figures["every_epoch_seconds"] = _fit(*slow, train, settings)
            once = figures["features_seconds"] + figures["head_seconds"]
            figures["every_epoch_over_once"] = figures["every_epoch_seconds"] / once
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    figures = {**figures, "epochs": settings.epochs, "peak_gb": peak}
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))
    return 0


def _source(
    config: configuration.Config, images: Sequence[Path], file: Path
) -> extraction.FeatureSource:
    """Images with labels drawn at random: they cost what real ones do."""
    labels = np.random.default_rng(0).random((len(images), _LABELS)) < 0.1
    rows = (
        (path.stem.encode(), path.read_bytes(), row.astype(np.float32))
        for path, row in zip(images, labels, strict=True)
    )
    return stored.source(config, rows, file, ("squished",), _FEATURES)


def _stored(source: extraction.FeatureSource) -> np.ndarray:
    batches = source.examples.rows(source.examples.files)
    return np.concatenate([images[:, 0] for images, *_ in batches.as_numpy_iterator()])


def _fit(
    train: CachedFeatures,
    evaluation: CachedFeatures,
    standardized_by: CachedFeatures,
    settings: TrainerSettings,
) -> float:
    """Seconds that the epochs take; what a new head needs to know of the features is not timed."""
    head = fitting.new_head(standardized_by, settings)
    started = time.monotonic()
    with progress("epoch", total=settings.epochs) as update:
        fitting.fit(train, evaluation, settings, lambda row: update(row["epoch"], ""), start=head)
    return time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
