"""Trains the embedded feature extractor on drawn posters, and writes it with its provenance.

    python -m components.sample.train_extractor --out components/sample/extractor

No poster of the default sample is among those it learns from: their seeds differ.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import itertools
import multiprocessing
import os
import platform
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.errors import PostersError
from components.files import new_folder
from components.sample.drawing import JPEG_QUALITY
from components.sample.films import films, poster_rng
from components.sample.genres import GENRES
from components.sample.poster import draw_poster
from components.sample.writing import DEFAULT_SEED

if TYPE_CHECKING:
    import tensorflow as tf
    import tf_keras

_TRAIN_SEED, _HELD_OUT_SEED = 70_001, 70_002
_BATCH = 64
# Each chunk of films starts counting at the first one: small chunks would repeat that too often.
_CHUNK = 500


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How the training went: held-out loss, macro AUC and macro-F1 at 0.5, and its seconds."""

    loss: float
    auc: float
    f1: float
    seconds: float


def draw_encoded(seed: int, start: int, count: int) -> tuple[list[bytes], np.ndarray]:
    """Posters `start` to `start + count` of `seed` as JPEG, and their genres.

    Returns:
      The encoded posters, and a float32 array of shape (count, len(GENRES)) of 0 and 1.
    """
    chosen = list(itertools.islice(films(seed), start, start + count))
    encoded = []
    for index, film in enumerate(chosen, start):
        buffer = io.BytesIO()
        poster = draw_poster(film.title, film.genres, poster_rng(seed, index))
        poster.save(buffer, "JPEG", quality=JPEG_QUALITY)
        encoded.append(buffer.getvalue())
    labels = [[genre in film.genres for genre in GENRES] for film in chosen]
    return encoded, np.array(labels, np.float32)


def main(arguments: list[str] | None = None) -> int:
    """Runs the script; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder to write; must not exist")
    parser.add_argument("--posters", type=int, default=12000, help="posters to learn from")
    parser.add_argument("--held-out", type=int, default=1000, help="posters to test on")
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args(arguments)
    if options.out.exists():
        print(f"{options.out} exists: remove it, or name another folder.", file=sys.stderr)
        return 1
    try:
        _run(options.out, options.posters, options.held_out, options.epochs)
    except (PostersError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(out: Path, posters: int, held_out: int, epochs: int) -> None:
    if DEFAULT_SEED in (_TRAIN_SEED, _HELD_OUT_SEED):
        raise PostersError("The extractor may not learn from the sample it is tried on.")
    train, train_labels = _draw(_TRAIN_SEED, posters)
    test, test_labels = _draw(_HELD_OUT_SEED, held_out)
    # TensorFlow loads here, after the drawing processes are gone.
    from components.sample.extractor_model import decode_images, export_network

    train_pixels, test_pixels = decode_images(train).numpy(), decode_images(test).numpy()
    network, outcome = _fit(train_pixels, train_labels, test_pixels, test_labels, epochs)
    with new_folder(out) as scratch:
        export_network(network, scratch)
        text = _provenance(posters, held_out, epochs, outcome)
        (scratch / "PROVENANCE.md").write_text(text)
    print(f"wrote {out}: held-out loss {outcome.loss:.4f}, macro AUC {outcome.auc:.3f}")


def _draw(seed: int, count: int) -> tuple[list[bytes], np.ndarray]:
    """Draws on every core, and says how far it is."""
    starts = range(0, count, _CHUNK)
    jobs = [(seed, start, min(_CHUNK, count - start)) for start in starts]
    encoded: list[bytes] = []
    labels = []
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for images, genres in pool.imap(_draw_job, jobs):
            encoded += images
            labels.append(genres)
            print(f"\rdrawing seed {seed}: {len(encoded)} of {count}", end="", flush=True)
    print()
    return encoded, np.concatenate(labels)


def _draw_job(job: tuple[int, int, int]) -> tuple[list[bytes], np.ndarray]:
    return draw_encoded(*job)


def _fit(
    train_pixels: np.ndarray,
    train_labels: np.ndarray,
    test_pixels: np.ndarray,
    test_labels: np.ndarray,
    epochs: int,
) -> tuple[tf_keras.Model, Outcome]:
    """Trains network and genre head together; returns the network alone, and the outcome."""
    import tensorflow as tf
    import tf_keras

    from components.sample.extractor_model import as_input, build_network

    tf_keras.utils.set_random_seed(_TRAIN_SEED)
    network = build_network()
    head = tf_keras.Sequential(
        [network, tf_keras.layers.Dropout(0.2), tf_keras.layers.Dense(len(GENRES))]
    )
    train = tf.data.Dataset.from_tensor_slices((train_pixels, train_labels))
    train = train.shuffle(len(train_pixels), seed=_TRAIN_SEED).batch(_BATCH, drop_remainder=True)
    train = train.map(lambda pixels, labels: (_varied(as_input(pixels)), labels)).prefetch(2)
    test = tf.data.Dataset.from_tensor_slices((test_pixels, test_labels)).batch(250)
    test = test.map(lambda pixels, labels: (as_input(pixels), labels))
    steps = epochs * (len(train_pixels) // _BATCH)
    rate = tf_keras.optimizers.schedules.CosineDecay(1e-4, steps, 0.0, None, 3e-3, steps // 8)
    head.compile(
        tf_keras.optimizers.AdamW(rate, weight_decay=0.02),
        tf_keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[tf_keras.metrics.AUC(multi_label=True, from_logits=True, name="auc")],
    )
    # Nothing in them needs autograph, which takes a minute to convert all that Keras calls.
    for step in ("train_step", "test_step", "predict_step"):
        setattr(head, step, tf.autograph.experimental.do_not_convert(getattr(head, step)))
    began = time.monotonic()
    head.fit(train, epochs=epochs, validation_data=test, verbose=2)
    seconds = time.monotonic() - began
    loss, auc = head.evaluate(test, verbose=0)
    predicted = head.predict(test, verbose=0) >= 0
    return network, Outcome(loss, auc, _macro_f1(test_labels, predicted), seconds)


def _varied(images: tf.Tensor) -> tf.Tensor:
    """Mirrors, shifts and relights a batch, so that the network does not learn it by heart."""
    import tensorflow as tf

    size = images.shape[1]
    padded = tf.pad(images, ((0, 0), (5, 5), (5, 5), (0, 0)), "SYMMETRIC")
    images = tf.image.random_crop(padded, (_BATCH, size, size, 3))
    images = tf.image.random_flip_left_right(images)
    gain = tf.random.uniform((_BATCH, 1, 1, 3), 0.9, 1.1)
    return tf.clip_by_value(images * gain, 0.0, 1.0)


def _macro_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """The mean over genres of 2 TP / (2 TP + FP + FN)."""
    hits = (labels * predicted).sum(axis=0)
    return float(np.mean(2 * hits / np.maximum(labels.sum(axis=0) + predicted.sum(axis=0), 1)))


def _provenance(posters: int, held_out: int, epochs: int, outcome: Outcome) -> str:
    import PIL
    import tensorflow as tf
    import tf_keras

    from components.sample.extractor_model import FEATURE_COUNT, IMAGE_SIZE

    return f"""# Provenance of this feature extractor

Written by `components/sample/train_extractor.py`, together with the model beside it. No weights,
images or texts of others went into it.

| | |
|---|---|
| What | image feature vector, TF2 SavedModel in TF-Hub's reusable form |
| Input | float32 images in [0, 1], shape (batch, {IMAGE_SIZE}, {IMAGE_SIZE}, 3), RGB |
| Output | float32 features, shape (batch, {FEATURE_COUNT}) |
| Decoding | `tf.io.decode_image`, antialiased `tf.image.resize` (squished, not cut), / 255 |
| Network | plain, then depthwise separable convolutions, mean over positions |
| Command | `python -m components.sample.train_extractor --out components/sample/extractor` |
| Arguments | `--posters {posters} --held-out {held_out} --epochs {epochs}` |
| Learned from | {posters} drawn posters of seed {_TRAIN_SEED} |
| Loss | binary cross-entropy on {len(GENRES)} genres, whose layer is left out here |
| Tested on | {held_out} drawn posters of seed {_HELD_OUT_SEED} |
| Held-out loss | {outcome.loss:.4f} |
| Held-out macro AUC | {outcome.auc:.4f} |
| Held-out macro-F1 at 0.5 | {outcome.f1:.4f} |
| Training | {outcome.seconds:.0f} s on {os.cpu_count()} cores, seed {_TRAIN_SEED} |
| Versions | Python {platform.python_version()}, TensorFlow {tf.__version__}, tf_keras \
{tf_keras.__version__}, NumPy {np.__version__}, Pillow {PIL.__version__} |
| Licence | Apache-2.0, as the code that made it |

The default sample (seed {DEFAULT_SEED}) is not among these posters.
"""


if __name__ == "__main__":
    sys.exit(main())
