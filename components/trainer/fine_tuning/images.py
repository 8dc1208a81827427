"""What the second stage reads: pixels and labels, a batch at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from components import pixels, record_files
from components.data_sets import PARALLEL, untuned
from components.features import Features
from components.trainer.fine_tuning.augment import augment

#: Examples in the shuffle's buffer, still encoded: some 200 MB at 224 pixels.
_SHUFFLED = 8192
#: Files read at a time, so that neighbours in a file do not end up in one batch.
_FILES = 16


@dataclasses.dataclass(frozen=True)
class ImageSource:
    """Where the images of one split come from.

    Attributes:
      files: Transform's materialised TFRecord files.
      feature_spec: the transformed examples' parsing specification.
      features: the examples' feature names.
      image_size: side in pixels.
    """

    files: Sequence[str]
    feature_spec: dict
    features: Features
    image_size: int


def training_batches(
    source: ImageSource, epoch: int, seed: int, batch_size: int, augmented: bool
) -> tf.data.Dataset:
    """One epoch: every image once, in an order and with changes that depend on seed and epoch.

    Args:
      source: the training split.
      epoch: from 1.
      seed: of the run.
      batch_size: images a batch; the last one may have fewer.
      augmented: whether images are changed at random.

    Returns:
      Pairs of (N, size, size, 3) uint8 images and (N, L) float32 labels.
    """
    generator = np.random.default_rng((seed, epoch))
    files = generator.permutation(sorted(source.files))
    records = (
        tf.data.Dataset.from_tensor_slices(files)
        .interleave(record_files.read, cycle_length=_FILES)
        .shuffle(_SHUFFLED, seed=int(generator.integers(1 << 31)))
    )

    def read(index: tf.Tensor, record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image, labels = _read(record, source)
        return augment(image, seed, epoch, index) if augmented else image, labels

    return _batches(records.enumerate().map(read, PARALLEL), batch_size)


def scoring_batches(source: ImageSource, batch_size: int) -> tf.data.Dataset:
    """Every image of a split once, unchanged and in the order of its files.

    Returns:
      What `training_batches` does.
    """
    records = record_files.read(source.files)
    return _batches(records.map(lambda record: _read(record, source), PARALLEL), batch_size)


def _read(record: tf.Tensor, source: ImageSource) -> tuple[tf.Tensor, tf.Tensor]:
    """One example's image, (size, size, 3) uint8, and labels, (L,) float32."""
    names = source.features
    wanted = {name: source.feature_spec[name] for name in (names.image_xf, names.labels_xf)}
    parsed = tf.io.parse_single_example(record, wanted)
    # Of several views of an image, the first is the one that is trained on.
    stored = tf.reshape(parsed[names.image_xf], (-1,))[0]
    return pixels.decode_stored(stored, source.image_size), parsed[names.labels_xf]


def _batches(examples: tf.data.Dataset, size: int) -> tf.data.Dataset:
    return untuned(examples.batch(size).prefetch(2))
