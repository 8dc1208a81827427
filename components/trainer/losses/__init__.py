"""What training minimises, by name, as `trainer.loss` gives it.

Every loss takes (N, L) labels and (N, L) logits and gives a float32 scalar.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import tensorflow as tf

from components.trainer.losses.cross_entropy import asl, bce
from components.trainer.losses.f1 import double_soft_f1, macro_soft_f1, sigmoid_f1, soft_f1

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

#: Every loss by its name; `settings.LossName` lists the same names without TensorFlow.
LOSSES: Mapping[str, Loss] = MappingProxyType(
    {loss.__name__: loss for loss in (macro_soft_f1, soft_f1, double_soft_f1, bce, asl, sigmoid_f1)}
)


def build(weights: Mapping[str, float]) -> Loss:
    """The weighted sum of losses.

    Args:
      weights: of each loss, by its name, as `TrainerSettings.loss` has them.

    Returns:
      A loss. Its terms are added in the order of their names, so that the order in which a
      configuration names them changes no digit.

    Raises:
      KeyError: a name is not in `LOSSES`; `TrainerSettings` lets none through.

    Example, 4 * 0.6931 + (1 - 1 / 2):
      >>> loss = build({"bce": 4, "macro_soft_f1": 1})
      >>> round(float(loss([[1], [0]], [[0.0], [0.0]])), 4)
      3.2726
    """
    terms = [(LOSSES[name], float(weights[name])) for name in sorted(weights)]

    def weighted_sum(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        return tf.add_n([weight * loss(labels, logits) for loss, weight in terms])

    return weighted_sum
