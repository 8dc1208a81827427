"""Which posters an embedding summary is made of, and what the model's extractor makes of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from components import pixels
from components.trainer import embedding_summary
from components.trainer.cached_features import CachedFeatures
from components.trainer.embedding_summary import FITTED, REFERENCE, EmbeddingSummary
from components.trainer.fine_tuning.images import ImageSource, training_batches

_BATCH_IMAGES = 64


def of_frozen(train: CachedFeatures, evaluation: CachedFeatures, seed: int) -> EmbeddingSummary:
    """The summary for a frozen extractor, whose features are there already.

    Axes come from half of train at most; the reference is eval, and train's other half.

    Args:
      train: the training split.
      evaluation: the eval split.
      seed: of the samples, which do not depend on how the examples are sharded.
    """
    generator = np.random.default_rng(seed)
    rows = generator.permutation(train.by_id)
    count = min(FITTED, math.ceil(len(rows) / 2))
    held_out = generator.permutation(evaluation.by_id)[:REFERENCE]
    others = rows[count:][: REFERENCE - len(held_out)]
    reference = np.concatenate([evaluation.take(held_out), train.take(others)])
    return embedding_summary.summarize(train.take(rows[:count]), reference)


def of_tuned(
    extractor: Any, train: ImageSource, evaluation: ImageSource, seed: int
) -> EmbeddingSummary:
    """The summary for an extractor that was fine-tuned on train: the reference is eval alone.

    Args:
      extractor: (N, size, size, 3) float32 -> (N, D) float32.
      train: the training split.
      evaluation: the eval split.
      seed: of the samples.
    """
    return embedding_summary.summarize(
        _features(extractor, train, FITTED, seed), _features(extractor, evaluation, REFERENCE, seed)
    )


def _features(extractor: Any, source: ImageSource, count: int, seed: int) -> np.ndarray:
    """(N, D) features of at most `count` images."""
    shuffled = training_batches(source, 1, seed, _BATCH_IMAGES, augmented=False).unbatch()
    batches = shuffled.take(count).batch(_BATCH_IMAGES)
    return np.concatenate(
        [tf.cast(extractor(pixels.normalize(images)), tf.float32).numpy() for images, _ in batches]
    )
