"""The floor: what no pipeline can do without, each image read, decoded and passed forward once.

    python -m bench.floor --images DIR [--posters N] --config local --set trainer.hub_handle=MODULE

Two loops over the same images on the same cores: read, decode and resize each; then pass as many
forward through the extractor's module as it is published. A third, which does not count for the
floor, passes them through what the pipeline makes of the module, see `components.trainer.folding`.
Imports and tracing are not timed. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import tensorflow as tf

from components import pixels
from components.data_sets import PARALLEL, untuned
from components.trainer import extractor
from pipeline import config as configuration

_BATCH = 64
#: Images that the forward loop goes round in: what a pixel is does not change what it costs.
_KEPT_BATCHES = 8


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.floor")
    parser.add_argument("--images", type=Path, required=True, help="a folder of images")
    parser.add_argument("--posters", type=int, help="how many of them to take; all by default")
    parser.add_argument("--config", default="sample")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args(arguments)
    config = configuration.load(options.config, options.overrides)
    files = [str(path) for path in sorted(options.images.iterdir())[: options.posters]]
    seconds, batches = _decode(files, config.image.size)
    handle, size = config.trainer.hub_handle, config.image.size
    passed = _forward(extractor.load_layer(handle, size), batches, len(files))
    folded = _forward(extractor.load(handle, size), batches, len(files))
    figures = {
        "posters": len(files),
        "decode_seconds": round(seconds, 2),
        "forward_seconds": round(passed, 2),
        "seconds": round(seconds + passed, 2),
        "folded_forward_seconds": round(folded, 2),
    }
    print(json.dumps(figures))
    return 0


def _decode(files: Sequence[str], size: int) -> tuple[float, list[tf.Tensor]]:
    """Seconds to read, decode and resize all, and some of the batches, (n, size, size, 3)."""

    def read(path: tf.Tensor) -> tf.Tensor:
        decoded = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        resized = tf.image.resize(decoded, (size, size), antialias=True)
        return tf.saturate_cast(tf.round(resized), tf.uint8)

    images = tf.data.Dataset.from_tensor_slices(files).map(read, PARALLEL)
    # A file that is no image costs what it costs.
    batches = untuned(images.ignore_errors().batch(_BATCH).prefetch(2))
    kept = []
    started = time.monotonic()
    for batch in batches:
        if len(kept) < _KEPT_BATCHES:
            kept.append(batch)
    return time.monotonic() - started, kept


def _forward(
    layer: Callable[[tf.Tensor], tf.Tensor], batches: Sequence[tf.Tensor], count: int
) -> float:
    """Seconds to pass `count` images forward, a batch at a time."""

    @tf.function(autograph=False, reduce_retracing=True)
    def forward(images: tf.Tensor) -> tf.Tensor:
        return layer(pixels.normalize(images))

    whole = [batch for batch in batches if len(batch) == _BATCH] or list(batches[:1])
    for batch in whole:
        forward(batch).numpy()
    started = time.monotonic()
    for place in range(math.ceil(count / len(whole[0]))):
        forward(whole[place % len(whole)]).numpy()
    return time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
