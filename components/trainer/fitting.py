"""Fitting the head: the loop over epochs, early stopping, and the learning curves."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from components.errors import PostersError
from components.trainer import losses, optimizer, ranking
from components.trainer.cached_features import CachedFeatures
from components.trainer.head import CHUNK_ROWS, Head, forward, log_odds, member_seed
from components.trainer.settings import TrainerSettings

_REMEDY = "lower trainer.learning_rate, and check that the extractor takes pixels in [0, 1]."


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A trained head and how it came to be.

    Attributes:
      head: the head, with the weights that were kept.
      history: one row an epoch: `epoch` from 1, `loss` (mean over steps), `eval_loss`,
        `eval_macro_auc`, `learning_rate` (at the epoch's end) and `seconds`.
      kept_epoch: the epoch whose weights were kept.
    """

    head: Head
    history: list[dict[str, float]]
    kept_epoch: int


class NotFiniteError(PostersError):
    """A loss or an output is NaN or infinite; the head has the weights of the last good epoch.

    Attributes:
      last_good_epoch: from 1, or 0 if it was the first that failed.
    """

    def __init__(self, message: str, last_good_epoch: int) -> None:
        super().__init__(message)
        self.last_good_epoch = last_good_epoch


def fit(
    train: CachedFeatures,
    evaluation: CachedFeatures,
    settings: TrainerSettings,
    report: Callable[[Mapping[str, float]], None],
    start: Head | None = None,
) -> Fitted:
    """Trains a head on a split's features.

    The loop is written out: on steps of milliseconds, Keras's `fit` spends three times as long.

    Args:
      train: the training split.
      evaluation: the eval split: scored after each epoch, and stops training if asked to.
      settings: see `TrainerSettings`.
      report: called after each epoch with its row of the history.
      start: a head to go on from; by default a new one.

    Raises:
      NotFiniteError: the loss, or what the head makes of eval, is not finite.
    """
    head = start or new_head(train, settings)
    loop = _Loop(head, settings, math.ceil(len(train) / settings.batch_size))
    generator = np.random.default_rng(settings.seed)
    history: list[dict[str, float]] = []
    best, kept_epoch, kept = -math.inf, 0, None
    for epoch in range(1, settings.epochs + 1):
        started = time.monotonic()
        good = _values(head)
        try:
            mean_loss = loop.epoch(epoch, _batches(train, settings.batch_size, generator))
            with loop.average.applied():
                outputs = logits(head, evaluation)
                _check_finite(outputs, epoch)
                auc = ranking.macro_auc(evaluation.labels, outputs)
                if settings.patience and (auc > best or kept is None):
                    best, kept_epoch = auc, epoch
                    kept = _values(head)
        except NotFiniteError:
            _assign(head, good)
            raise
        row = {
            "epoch": epoch,
            "loss": mean_loss,
            "eval_loss": float(loop.loss(evaluation.labels, outputs)),
            "eval_macro_auc": auc,
            "learning_rate": loop.learning_rate(),
            "seconds": time.monotonic() - started,
        }
        history.append(row)
        report(row)
        if settings.patience and epoch - kept_epoch >= settings.patience:
            break
    if kept is None:
        loop.average.apply()
        return Fitted(head, history, epoch)
    _assign(head, kept)
    return Fitted(head, history, kept_epoch)


def new_head(train: CachedFeatures, settings: TrainerSettings) -> Head:
    """An untrained head that fits a split: its width, its labels, its mean and deviation."""
    mean, deviation = np.zeros(train.width), np.ones(train.width)
    if settings.head.standardize:
        mean, deviation = moments(train)
    bias = np.zeros(train.labels.shape[1])
    if settings.head.prior_bias:
        bias = log_odds(train.labels)
    return Head(mean, deviation, bias, settings.head, settings.seed)


def logits(head: Head, split: CachedFeatures) -> np.ndarray:
    """(N, L) float32 logits of a split, row for row."""
    return np.concatenate(
        [head(tf.constant(split.take(chunk))).numpy() for chunk in _chunks(len(split))]
    )


def moments(split: CachedFeatures) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation a column, each (D,), in one bounded pass each.

    A column that never varies says nothing; a deviation of one leaves it at zero.
    """
    chunks = _chunks(len(split))
    mean = sum(split.take(chunk).sum(axis=0, dtype=np.float64) for chunk in chunks) / len(split)
    squares = sum(np.square(split.take(chunk) - mean).sum(axis=0) for chunk in chunks)
    deviation = np.sqrt(squares / len(split))
    return mean, np.where(deviation > 1e-6, deviation, 1.0)


class _Loop:
    """One head, its optimiser and its step function."""

    def __init__(self, head: Head, settings: TrainerSettings, steps_per_epoch: int) -> None:
        variables = tf.nest.flatten([network.layers for network in head.networks])
        self._head = head
        self._seed = settings.seed
        self._smoothing = settings.label_smoothing
        self.loss = losses.build(settings.loss)
        self._optimizer = optimizer.adamw(settings, steps_per_epoch, variables, head.kernels)
        self._variables = variables
        self._steps = 0
        # All networks are alike: a graph for one, traced once, does for each.
        self._of_network = tf.function(self._differentiate, autograph=False)
        # Of any number of rows, or the last batch of an epoch would be traced once more.
        self._step = tf.function(
            self._learn,
            input_signature=[
                tf.TensorSpec([None, *head.mean.shape], tf.float32),
                tf.TensorSpec([None, head.networks[0].biases[-1].shape[0]], tf.float32),
                tf.TensorSpec([], tf.int32),
            ],
            autograph=False,
        )
        self.average = optimizer.MovingAverage(variables, settings.ema)

    def epoch(self, epoch: int, batches: Iterator[tuple[np.ndarray, np.ndarray]]) -> float:
        """Trains on the batches and gives their mean loss."""
        taken = []
        for features, labels in batches:
            self._steps += 1
            step = tf.constant(self._steps)
            taken.append(self._step(tf.constant(features), tf.constant(labels), step))
        values = tf.stack(taken).numpy()
        if not np.isfinite(values).all():
            at = int(np.argmin(np.isfinite(values))) + 1
            raise NotFiniteError(
                f"the training loss is {values[at - 1]} in epoch {epoch}, step {at} of "
                f"{len(values)}: {_REMEDY}",
                last_good_epoch=epoch - 1,
            )
        return float(values.mean())

    def learning_rate(self) -> float:
        """The rate at the last step."""
        return float(self._optimizer.learning_rate)

    def _learn(self, features: tf.Tensor, labels: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        smooth = labels * (1.0 - self._smoothing) + 0.5 * self._smoothing
        inputs, seed = self._head.standardized(features), tf.stack([self._seed, step])
        losses, gradients = [], []
        for member, network in enumerate(self._head.networks):
            loss, gradient = self._of_network(
                inputs, smooth, member_seed(seed, member), network.layers
            )
            losses.append(loss)
            gradients.append(gradient)
        pairs = zip(tf.nest.flatten(gradients), self._variables, strict=True)
        self._optimizer.apply_gradients(pairs)
        self.average.update(step)
        return tf.add_n(losses) / len(losses)

    def _differentiate(
        self,
        inputs: tf.Tensor,
        labels: tf.Tensor,
        seed: tf.Tensor,
        layers: Sequence[tuple[tf.Tensor, tf.Tensor]],
    ) -> tuple[tf.Tensor, Sequence[tuple[tf.Tensor, tf.Tensor]]]:
        """A network's loss, and the gradients of the mean over networks, in the place of layers."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(layers)
            loss = self.loss(labels, forward(inputs, layers, self._head.dropout, seed))
        share = tf.constant(1.0) / len(self._head.networks)
        return loss, tape.gradient(loss, layers, output_gradients=share)


def _check_finite(outputs: np.ndarray, epoch: int) -> None:
    # The loss is the one before its step: of an epoch's last step no loss tells.
    if not np.isfinite(outputs).all():
        raise NotFiniteError(
            f"the head gives NaN or infinity for eval after epoch {epoch}: {_REMEDY}",
            last_good_epoch=epoch - 1,
        )


def _values(head: Head) -> list[np.ndarray]:
    return [variable.numpy() for variable in head.trainable_variables]


def _assign(head: Head, values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(head.trainable_variables, values, strict=True):
        variable.assign(value)


def _batches(
    split: CachedFeatures, size: int, generator: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """One epoch: every example once, shuffled, gathered a batch at a time."""
    order = generator.permutation(split.by_id)
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        yield split.take(rows), split.labels[rows]


def _chunks(rows: int) -> list[slice]:
    return [slice(start, start + CHUNK_ROWS) for start in range(0, rows, CHUNK_ROWS)]
