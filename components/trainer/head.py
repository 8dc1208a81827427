"""The head: the network that is trained on the extractor's features."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from components.trainer.settings import HeadSettings

#: Rows a pass when nothing is learned; only memory depends on it.
CHUNK_ROWS = 4096


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
            outputs = tf.nn.relu(tf.nn.bias_add(tf.matmul(outputs, kernel), bias))
        if seed is not None and dropout:
            outputs = tf.nn.experimental.stateless_dropout(outputs, dropout, seed)
        return tf.nn.bias_add(tf.matmul(outputs, self.kernels[-1]), self.biases[-1])


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
