"""Throughput of fine-tuning on the GPUs or the processor: `python -m bench.fine_tune`.

Images are noise: their content does not matter. Steps and the input pipeline are measured each on
its own; the slower one sets the pace of a run. Prints a table, then one JSON object.

    python -m bench.fine_tune --module MODULE --size 224 --device-batches 32,64,128 --batch 512
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from rich.table import Table

from components import pixels
from components.features import Features
from components.progress import CONSOLE
from components.trainer import extractor
from components.trainer.fine_tuning import devices, images
from components.trainer.fine_tuning.learner import Learner
from components.trainer.head import Head
from components.trainer.settings import TrainerSettings

_LABELS = 20
#: Images that are encoded for the input pipeline, again and again until there are enough.
_DISTINCT = 8
_READ = 4096
_FEATURES = Features()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--module", default=extractor.EMBEDDED, help="as trainer.hub_handle")
    parser.add_argument("--size", type=int, default=96, help="side of the images in pixels")
    parser.add_argument("--batch", type=int, default=128, help="images the loss sees at once")
    parser.add_argument("--device-batches", default="16,64", help="sizes to be measured")
    parser.add_argument("--share", type=float, default=0.3, help="as trainable_share")
    parser.add_argument("--steps", type=int, default=5, help="measured, after two to warm up")
    options = parser.parse_args(arguments)
    strategy = devices.choose_strategy()
    precisions = (False, True) if devices.has_gpu(strategy) else (False,)
    rows = [
        _measure_steps(options, strategy, int(size), half)
        for size in options.device_batches.split(",")
        for half in precisions
    ]
    reading = {augmented: _measure_reading(options, augmented) for augmented in (False, True)}
    _show(rows, reading, devices.describe(strategy))
    facts = {key: vars(options)[key] for key in ("module", "size", "batch", "share")}
    read = {"read": reading[False], "read_augmented": reading[True]}
    measured = {"devices": devices.describe(strategy), **facts, "steps": rows, **read}
    print(json.dumps(measured))
    return 0


def _measure_steps(
    options: argparse.Namespace, strategy: tf.distribute.Strategy, size: int, half: bool
) -> dict[str, float | bool]:
    tuning = {
        "batch_size": options.batch,
        "device_batch_size": size,
        "trainable_share": options.share,
        "mixed_precision": half,
    }
    settings = TrainerSettings(hub_handle=options.module, fine_tune=tuning)
    blank = tf.zeros((1, options.size, options.size, 3))
    width = extractor.load(options.module, options.size)(blank).shape[1]
    head = Head(np.zeros(width), np.ones(width), np.zeros(_LABELS), settings.head, seed=0)
    learner = Learner(head, settings, options.size, options.steps, strategy)
    generator = np.random.default_rng(0)
    batch, labels = _noise(generator, options), generator.integers(0, 2, (options.batch, _LABELS))
    for number in range(1, options.steps + 3):
        if number == 3:  # the first two trace and choose algorithms
            started = time.monotonic()
        learner.step(batch, tf.constant(labels, tf.float32), number)
    seconds = time.monotonic() - started
    return {
        "device_batch_size": size,
        "mixed_precision": half,
        "images_a_second": round(options.batch * options.steps / seconds, 1),
    }


def _noise(generator: np.random.Generator, options: argparse.Namespace) -> tf.Tensor:
    shape = (options.batch, options.size, options.size, 3)
    return tf.constant(generator.integers(0, 256, shape, dtype=np.uint8))


def _measure_reading(options: argparse.Namespace, augmented: bool) -> float:
    """Images a second that are read, decoded and perhaps changed."""
    with tempfile.TemporaryDirectory() as folder:
        source = _write(Path(folder) / "examples.gz", options)
        started = time.monotonic()
        for _ in images.training_batches(source, 1, 0, options.batch, augmented):
            pass
        return round(_READ / (time.monotonic() - started), 1)


def _write(path: Path, options: argparse.Namespace) -> images.ImageSource:
    stored = pixels.materialize(
        tf.map_fn(tf.io.encode_png, _noise(np.random.default_rng(0), options)[:8], tf.string),
        options.size,
        ("squished",),
    ).numpy()[:, 0]
    with tf.io.TFRecordWriter(str(path), options="GZIP") as writer:
        for index in range(_READ):
            example = tf.train.Example()
            features = example.features.feature
            features[_FEATURES.image_xf].bytes_list.value.append(stored[index % len(stored)])
            features[_FEATURES.labels_xf].float_list.value.extend([0.0] * _LABELS)
            writer.write(example.SerializeToString())
    spec = {
        _FEATURES.image_xf: tf.io.FixedLenFeature([], tf.string),
        _FEATURES.labels_xf: tf.io.FixedLenFeature([_LABELS], tf.float32),
    }
    return images.ImageSource([str(path)], spec, _FEATURES, options.size)


def _show(rows: Sequence[dict], reading: dict[bool, float], where: str) -> None:
    table = Table(title=f"images a second on {where}", title_justify="left")
    for column in ("", "device batch", "precision", "images a second"):
        table.add_column(column, justify="right" if "image" in column else "left")
    for row in rows:
        precision = "half" if row["mixed_precision"] else "single"
        speed = f"{row['images_a_second']:.1f}"
        table.add_row("training steps", str(row["device_batch_size"]), precision, speed)
    table.add_row("reading", "", "", f"{reading[False]:.1f}")
    table.add_row("reading, augmented", "", "", f"{reading[True]:.1f}")
    CONSOLE.print(table)


if __name__ == "__main__":
    sys.exit(main())
