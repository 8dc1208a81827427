"""Losses that stand in for an F1 that has no gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf

#: Keeps a label that is absent and never predicted from dividing zero by zero.
_EPSILON = 1e-16


def macro_soft_f1(labels: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
    """Macro soft-F1: one minus F1 with probabilities in place of decisions, averaged over labels.

    For label l, with sums over the batch:

        loss_l = 1 - 2 * sum(p * y) / (sum(p) + sum(y) + epsilon)

    which is 1 - 2TP / (2TP + FP + FN) where TP = sum(p * y), FP = sum(p * (1 - y)) and
    FN = sum((1 - p) * y). Source: A. Maiza, "The Unknown Benefits of using a Soft-F1 Loss in
    Classification Systems" (2019).

    The gradient with respect to p has two values a label, -(2 - F) / S for positives and F / S for
    negatives (F the soft F1, S the denominator), so p is driven to 1 wherever P(y | x) > F / 2 and
    to 0 elsewhere: outputs saturate and are not probabilities. A label absent from the batch costs
    1 and has no gradient.

    Args:
      labels: (N, L), 0 or 1, any numeric type.
      probabilities: (N, L) in [0, 1]; computed in float32 whatever comes in, since epsilon is zero
        in half precision.

    Returns:
      A float32 scalar in [0, 1]. Independent of the order of the batch.

    Example: labels [[1], [0]] and probabilities [[0.8], [0.4]] cost 1 - 1.6 / 2.2 = 0.2727.
    """
    labels = tf.cast(labels, tf.float32)
    probabilities = tf.cast(probabilities, tf.float32)
    true_positives = tf.reduce_sum(probabilities * labels, axis=0)
    denominator = tf.reduce_sum(probabilities, axis=0) + tf.reduce_sum(labels, axis=0)
    return tf.reduce_mean(1.0 - 2.0 * true_positives / (denominator + _EPSILON))


def macro_soft_f1_from_logits(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """`macro_soft_f1` of the sigmoid of (N, L) logits."""
    return macro_soft_f1(labels, tf.sigmoid(tf.cast(logits, tf.float32)))


def build(weights: Mapping[str, float]) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """The weighted sum of the losses named, from (N, L) labels and (N, L) logits to a scalar.

    Raises:
      KeyError: a loss that is not here yet.
    """
    named = {"macro_soft_f1": macro_soft_f1_from_logits, "bce": _binary_cross_entropy}
    chosen = [(weight, named[name]) for name, weight in weights.items()]
    return lambda labels, logits: tf.add_n([w * loss(labels, logits) for w, loss in chosen])


def _binary_cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))
