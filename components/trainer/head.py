"""The head: what is trained on the extractor's features."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf
import tf_keras

from components.errors import PostersError
from components.trainer.feature_cache import CachedFeatures
from components.trainer.losses import macro_soft_f1_from_logits
from components.trainer.settings import HeadSettings, TrainerSettings

#: Rows a step when nothing is learned; only memory depends on it.
_PREDICT_ROWS = 4096


def fit(
    train: CachedFeatures, settings: TrainerSettings, report: Callable[[int, float], None]
) -> tf_keras.Model:
    """Trains Dense(hidden, relu) + Dense(labels) with macro soft-F1, Adam and a cosine schedule.

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

    @tf.function(reduce_retracing=True, autograph=False)
    def step(features: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = macro_soft_f1_from_logits(labels, model(features, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    generator = np.random.default_rng(settings.seed)
    for epoch in range(1, settings.epochs + 1):
        losses = [
            step(tf.constant(features), tf.constant(labels))
            for features, labels in _batches(train, settings.batch_size, generator)
        ]
        loss = float(tf.reduce_mean(losses))
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
    """One epoch: every example once, shuffled, gathered from the memory map a batch at a time."""
    order = generator.permutation(split.by_id)
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        yield split.features[rows], split.labels[rows]


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


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance a column, in one bounded pass each over the memory map."""
    starts = range(0, len(features), _PREDICT_ROWS)
    chunks = [slice(start, start + _PREDICT_ROWS) for start in starts]
    total = sum(features[chunk].sum(axis=0, dtype=np.float64) for chunk in chunks)
    mean = total / len(features)
    squares = sum(np.square(features[chunk] - mean).sum(axis=0) for chunk in chunks)
    variance = squares / len(features)
    # A column that never varies says nothing; a variance of one leaves it at zero.
    return mean, np.where(variance > 1e-12, variance, 1.0)


class Network(tf.Module):
    """Dense layers with relu between them: (N, D) standardised features -> (N, L) logits."""

    def __init__(self, widths: Sequence[int], bias: np.ndarray, seed: int) -> None:
        """Draws the kernels (Glorot uniform).

        Args:
          widths: of features, of each hidden layer, and of the labels.
          bias: (L,) of the last layer; the others start at zero.
          seed: of the kernels.
        """
        super().__init__(name="network")
        self.kernels, self.biases = [], []
        for layer, (rows, columns) in enumerate(itertools.pairwise(widths)):
            limit = math.sqrt(6 / (rows + columns))
            kernel = tf.random.stateless_uniform((rows, columns), (seed, layer), -limit, limit)
            self.kernels.append(tf.Variable(kernel, name=f"kernel_{layer}"))
            start = bias if layer == len(widths) - 2 else np.zeros(columns)
            self.biases.append(tf.Variable(start.astype("f"), name=f"bias_{layer}"))

    def __call__(
        self, features: tf.Tensor, dropout: float = 0.0, seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Logits; with a seed, that share of the last layer's inputs is dropped."""
        outputs = features
        for kernel, bias in zip(self.kernels[:-1], self.biases[:-1], strict=True):
            outputs = tf.nn.relu(tf.matmul(outputs, kernel) + bias)
        if seed is not None and dropout:
            outputs = tf.nn.experimental.stateless_dropout(outputs, dropout, seed)
        return tf.matmul(outputs, self.kernels[-1]) + self.biases[-1]


class Head(tf.Module):
    """(N, D) features -> (N, L) logits: the mean logit of equal networks from other weights.

    Attributes:
      mean, deviation: (D,) variables, not trained; features are standardised by them.
      networks: the members.
    """

    def __init__(
        self,
        mean: np.ndarray,
        deviation: np.ndarray,
        bias: np.ndarray,
        settings: HeadSettings,
        seed: int,
    ) -> None:
        """Draws the members' weights.

        Args:
          mean: (D,), what to take from the features.
          deviation: (D,), what to divide them by; not zero.
          bias: (L,), the logits at which every member starts on the average features.
          settings: see `HeadSettings`.
          seed: of the weights.
        """
        super().__init__(name="head")
        self.mean = tf.Variable(mean.astype("f"), trainable=False, name="mean")
        self.deviation = tf.Variable(deviation.astype("f"), trainable=False, name="deviation")
        widths = [len(mean), *settings.hidden_units, len(bias)]
        self.networks = [
            Network(widths, bias, seed * settings.members + member)
            for member in range(settings.members)
        ]
        self._dropout = settings.dropout

    @property
    def kernels(self) -> list[tf.Variable]:
        """Every kernel of every member: what weight decay is for."""
        return [kernel for network in self.networks for kernel in network.kernels]

    def __call__(self, features: tf.Tensor) -> tf.Tensor:
        """(N, D) float32 features to (N, L) float32 logits, nothing dropped."""
        return tf.reduce_mean(self.member_logits(features), axis=0)

    def member_logits(
        self, features: tf.Tensor, dropout_seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        """(N, D) features to (members, N, L) logits.

        Args:
          features: float32.
          dropout_seed: (2,) int32; given, units are dropped as it says, the same for the same seed.
        """
        inputs = (features - self.mean) / self.deviation
        return tf.stack(
            [
                network(inputs, self._dropout, _member_seed(dropout_seed, member))
                for member, network in enumerate(self.networks)
            ]
        )


def _member_seed(seed: tf.Tensor | None, member: int) -> tf.Tensor | None:
    return None if seed is None else tf.random.experimental.stateless_fold_in(seed, member)


def log_odds(labels: np.ndarray) -> np.ndarray:
    """(N, L) multi-hot labels to the (L,) log odds of each.

    Half a count on either side keeps the odds of a label that all or none have finite.
    """
    positives = labels.sum(axis=0, dtype=np.float64)
    return np.log((positives + 0.5) / (len(labels) - positives + 0.5))
