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

    @property
    def layers(self) -> list[tuple[tf.Variable, tf.Variable]]:
        """Kernel and bias of each layer, in order."""
        return list(zip(self.kernels, self.biases, strict=True))

    def __call__(self, features: tf.Tensor) -> tf.Tensor:
        """Logits, nothing dropped."""
        return forward(features, self.layers)


def forward(
    features: tf.Tensor,
    layers: Sequence[tuple[tf.Tensor, tf.Tensor]],
    dropout: float = 0.0,
    seed: tf.Tensor | None = None,
) -> tf.Tensor:
    """What a network makes of features: (N, D) to (N, L) logits.

    Args:
      features: standardised.
      layers: see `Network.layers`; their values, or tensors in their place.
      dropout: the share of the last layer's inputs that is dropped.
      seed: (2,) int32, of what is dropped; without it nothing is.
    """
    *hidden, (last_kernel, last_bias) = layers
    outputs = features
    for kernel, bias in hidden:
        outputs = tf.nn.relu(tf.nn.bias_add(tf.matmul(outputs, kernel), bias))
    if seed is not None and dropout:
        outputs = tf.nn.experimental.stateless_dropout(outputs, dropout, seed)
    return tf.nn.bias_add(tf.matmul(outputs, last_kernel), last_bias)


class Head(tf.Module):
    """(N, D) features -> (N, L) logits: the mean logit of equal networks from other weights.

    Attributes:
      mean, deviation: (D,) variables, not trained; features are standardised by them.
      networks: the members.
      dropout: the share of the last layer's inputs that is dropped while they learn.
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
        self.dropout = settings.dropout

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
        inputs = self.standardized(features)
        if dropout_seed is None:
            return tf.stack([network(inputs) for network in self.networks])
        return tf.stack(
            [
                forward(inputs, network.layers, self.dropout, member_seed(dropout_seed, member))
                for member, network in enumerate(self.networks)
            ]
        )

    def standardized(self, features: tf.Tensor) -> tf.Tensor:
        """(N, D) features as the networks take them."""
        return (features - self.mean) / self.deviation


def member_seed(seed: tf.Tensor, member: int) -> tf.Tensor:
    """(2,) int32, of what a member drops."""
    return tf.random.experimental.stateless_fold_in(seed, member)


def log_odds(labels: np.ndarray) -> np.ndarray:
    """(N, L) multi-hot labels to the (L,) log odds of each.

    Half a count on either side keeps the odds of a label that all or none have finite.
    """
    positives = labels.sum(axis=0, dtype=np.float64)
    return np.log((positives + 0.5) / (len(labels) - positives + 0.5))
