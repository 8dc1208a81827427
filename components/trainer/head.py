"""The head: what is trained on the extractor's features."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf
import tf_keras

from components.errors import PostersError
from components.trainer import losses
from components.trainer.cached_features import CachedFeatures
from components.trainer.settings import TrainerSettings

#: Rows a step when nothing is learned; only memory depends on it.
_PREDICT_ROWS = 4096


def fit(
    train: CachedFeatures, settings: TrainerSettings, report: Callable[[int, float], None]
) -> tf_keras.Model:
    """Trains Dense(hidden, relu) + Dense(labels) with Adam and a cosine schedule.

    Features are standardised by the training split's mean and deviation, and the output bias starts
    at the log odds of each label: soft-F1 saturates early where it starts far from them.

    The loop is written out: on steps of milliseconds, `Model.fit` spends three times as long.

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
    model = _build(train, settings)
    steps = math.ceil(len(train) / settings.batch_size)
    schedule = tf_keras.optimizers.schedules.CosineDecay(
        settings.learning_rate, decay_steps=steps * settings.epochs
    )
    optimizer = tf_keras.optimizers.Adam(schedule)
    optimizer.build(model.trainable_variables)
    loss_of = losses.build(settings.loss)

    @tf.function(reduce_retracing=True, autograph=False)
    def step(features: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(features, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    generator = np.random.default_rng(settings.seed)
    for epoch in range(1, settings.epochs + 1):
        values = [
            step(tf.constant(features), tf.constant(labels))
            for features, labels in _batches(train, settings.batch_size, generator)
        ]
        loss = float(tf.reduce_mean(values))
        if not math.isfinite(loss):
            raise PostersError(
                f"the training loss is {loss} in epoch {epoch}: lower trainer.learning_rate, and "
                "check that the extractor takes pixels in [0, 1]."
            )
        report(epoch, loss)
    return model


def _batches(
    split: CachedFeatures, size: int, generator: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """One epoch: every example once, shuffled, gathered a batch at a time."""
    order = generator.permutation(split.by_id)
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        yield split.take(rows), split.labels[rows]


def logits(model: tf_keras.Model, split: CachedFeatures) -> np.ndarray:
    """(N, L) float32 logits of a split, row for row."""
    return np.concatenate(
        [model(features, training=False).numpy() for features in split.chunks(_PREDICT_ROWS)]
    )


def _build(train: CachedFeatures, settings: TrainerSettings) -> tf_keras.Model:
    mean, variance = _moments(train)
    positives = train.labels.sum(axis=0)
    # Half a count on either side keeps the odds of a label that all or none have finite.
    odds = (positives + 0.5) / (len(train) - positives + 0.5)
    return tf_keras.Sequential(
        [
            tf_keras.layers.Input((train.width,), name="features"),
            tf_keras.layers.Normalization(mean=mean, variance=variance),
            tf_keras.layers.Dense(settings.head.hidden_units[0], activation="relu", name="hidden"),
            tf_keras.layers.Dropout(settings.head.dropout),
            tf_keras.layers.Dense(
                train.labels.shape[1],
                bias_initializer=tf.constant_initializer(np.log(odds)),
                name="logits",
            ),
        ],
        name="head",
    )


def _moments(train: CachedFeatures) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance a column, in one bounded pass each."""
    total = sum(chunk.sum(axis=0, dtype=np.float64) for chunk in train.chunks(_PREDICT_ROWS))
    mean = total / len(train)
    squares = sum(np.square(chunk - mean).sum(axis=0) for chunk in train.chunks(_PREDICT_ROWS))
    variance = squares / len(train)
    # A column that never varies says nothing; a variance of one leaves it at zero.
    return mean, np.where(variance > 1e-12, variance, 1.0)
