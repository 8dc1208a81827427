"""What the feature store costs over a bare forward loop, on images of your own.

    python -m bench.features --images DIR [--posters 1500] [--repeats 3] --config local \
        --set trainer.hub_handle=MODULE --set image.views=[squished,squished_mirrored]

The bare loop parses, decodes, mirrors, normalises and passes batches of 64 forward, and keeps
nothing. The two alternate. Prints one JSON object a repeat.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from bench import stored
from components import pixels, views
from components.data_sets import PARALLEL, untuned
from components.features import Features
from components.trainer import extraction
from pipeline import config as configuration

_BATCH = 64
_FEATURES = Features()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.features")
    parser.add_argument("--images", type=Path, required=True, help="a folder of images")
    parser.add_argument("--posters", type=int, default=1500, help="how many of them to take")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--config", default="sample")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args(arguments)
    config = configuration.load(options.config, options.overrides)
    with tempfile.TemporaryDirectory(prefix="posters-bench-") as folder:
        images = sorted(options.images.iterdir())[: options.posters]
        rows = ((path.stem.encode(), path.read_bytes(), [1.0]) for path in images)
        file = Path(folder) / "examples.gz"
        source = stored.source(config, rows, file, config.image.views, _FEATURES)
        loop = _bare_loop(source)
        loop()  # traced now, as the extractor is
        for repeat in range(options.repeats):
            cache = Path(folder) / f"cache-{repeat}"
            bare = _timed(loop)
            store = _timed(lambda at=cache: extraction.load_or_compute(at, source, int))
            again = _timed(lambda at=cache: extraction.load_or_compute(at, source, int))
            figures = _figures(len(images) * len(source.views), bare, store, again)
            print(json.dumps(figures), flush=True)
    return 0


def _figures(count: int, bare: Any, store: Any, again: Any) -> dict[str, Any]:
    return {
        "images_x_views": count,
        "bare_seconds": round(bare[0], 2),
        "store_seconds": round(store[0], 2),
        "store_over_bare": round(store[0] / bare[0], 3),
        "cpu_over_bare": round(store[1] / bare[1], 3),
        "again_seconds": round(again[0], 3),
    }


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of the process on all cores."""
    wall, used = time.monotonic(), time.process_time()
    work()
    return time.monotonic() - wall, time.process_time() - used


def _bare_loop(source: extraction.FeatureSource) -> Callable[[], None]:
    geometries, size = views.geometries(source.views), source.image_size
    name = _FEATURES.image_xf
    spec = {name: source.examples.feature_spec[name]}

    def decode(record: tf.Tensor) -> tf.Tensor:
        images = tf.unstack(tf.io.parse_single_example(record, spec)[name])
        decoded = {
            geometry: pixels.decode_stored(image, size)
            for geometry, image in zip(geometries, images, strict=True)
        }
        seen = ((decoded[views.geometry(view)], views.is_mirrored(view)) for view in source.views)
        return tf.stack([pixels.mirror(image) if mirrored else image for image, mirrored in seen])

    @tf.function(input_signature=[tf.TensorSpec((None, size, size, 3), tf.uint8)], autograph=False)
    def forward(images: tf.Tensor) -> tf.Tensor:
        return source.extractor(pixels.normalize(images))

    def loop() -> None:
        records = tf.data.TFRecordDataset(source.examples.files, compression_type="GZIP")
        images = records.map(decode, num_parallel_calls=PARALLEL).unbatch()
        for batch in untuned(images.batch(_BATCH).prefetch(2)):
            forward(batch).numpy()

    return loop


if __name__ == "__main__":
    sys.exit(main())
