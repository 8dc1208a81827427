"""The head: what is trained on the extractor's features."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tf_keras

from components.errors import PostersError
from components.trainer.feature_cache import CachedFeatures
from components.trainer.losses import macro_soft_f1_from_logits
from components.trainer.settings import TrainerSettings

#: Rows a step when nothing is learned; only memory depends on it.
_PREDICT_ROWS = 4096


class _ShuffledBatches(tf_keras.utils.Sequence):
    """Batches of a split, shuffled anew each epoch, gathered from the memory map one at a time."""

    def __init__(self, split: CachedFeatures, batch_size: int, seed: int) -> None:
        super().__init__()
        self._split = split
        self._batch_size = batch_size
        self._generator = np.random.default_rng(seed)
        self._order = split.by_id
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self._split) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        # Sorted rows read the map front to back; the order within a batch changes nothing.
        rows = np.sort(self._order[index * self._batch_size : (index + 1) * self._batch_size])
        return self._split.features[rows], self._split.labels[rows]

    def on_epoch_end(self) -> None:
        self._order = self._generator.permutation(self._split.by_id)


class _Watch(tf_keras.callbacks.Callback):
    """Reports each epoch and stops at a loss that is no number."""

    def __init__(self, report: Callable[[int, float], None]) -> None:
        super().__init__()
        self._report = report

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        loss = (logs or {}).get("loss", math.nan)
        if not math.isfinite(loss):
            raise PostersError(
                f"the training loss is {loss} in epoch {epoch + 1}: lower trainer.learning_rate, "
                "and check that the extractor takes pixels in [0, 1]."
            )
        self._report(epoch + 1, loss)


def fit(
    train: CachedFeatures, settings: TrainerSettings, report: Callable[[int, float], None]
) -> tf_keras.Model:
    """Trains Dense(hidden, relu) + Dense(labels) with macro soft-F1, Adam and a cosine schedule.

    Features are standardised by the training split's mean and deviation, and the output bias starts
    at the log odds of each label: soft-F1 saturates early where it starts far from them.

    Args:
      train: the training split.
      settings: see `TrainerSettings`.
      report: called after each epoch with its number, from 1, and its mean loss.

    Returns:
      A model from (N, D) features to (N, L) logits.

    Raises:
      PostersError: the loss is not finite.
    """
    tf_keras.utils.set_random_seed(settings.seed)
    batches = _ShuffledBatches(train, settings.batch_size, settings.seed)
    model = _build(train, settings)
    schedule = tf_keras.optimizers.schedules.CosineDecay(
        settings.learning_rate, decay_steps=len(batches) * settings.epochs
    )
    model.compile(tf_keras.optimizers.Adam(schedule), loss=macro_soft_f1_from_logits)
    model.fit(batches, epochs=settings.epochs, shuffle=False, verbose=0, callbacks=[_Watch(report)])
    return model


def logits(model: tf_keras.Model, split: CachedFeatures) -> np.ndarray:
    """(N, L) float32 logits of a split, row for row."""
    return np.concatenate(
        [
            model(split.features[start : start + _PREDICT_ROWS], training=False).numpy()
            for start in range(0, len(split), _PREDICT_ROWS)
        ]
    )


def _build(train: CachedFeatures, settings: TrainerSettings) -> tf_keras.Model:
    mean, variance = _moments(train.features)
    positives = train.labels.sum(axis=0)
    # Half a count on either side keeps the odds of a label that all or none have finite.
    odds = (positives + 0.5) / (len(train) - positives + 0.5)
    return tf_keras.Sequential(
        [
            tf_keras.layers.Input((train.features.shape[1],), name="features"),
            tf_keras.layers.Normalization(mean=mean, variance=variance),
            tf_keras.layers.Dense(settings.hidden_units, activation="relu", name="hidden"),
            tf_keras.layers.Dropout(settings.dropout),
            tf_keras.layers.Dense(
                train.labels.shape[1],
                bias_initializer=tf.constant_initializer(np.log(odds)),
                name="logits",
            ),
        ],
        name="head",
    )


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance a column, in one bounded pass each over the memory map."""
    starts = range(0, len(features), _PREDICT_ROWS)
    chunks = lambda: (features[s : s + _PREDICT_ROWS].astype(np.float64) for s in starts)  # noqa: E731
    mean = sum(chunk.sum(axis=0) for chunk in chunks()) / len(features)
    variance = sum(((chunk - mean) ** 2).sum(axis=0) for chunk in chunks()) / len(features)
    # A column that never varies says nothing; a variance of one leaves it at zero.
    return mean, np.where(variance > 1e-12, variance, 1.0)
