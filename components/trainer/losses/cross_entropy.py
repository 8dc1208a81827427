"""Losses of each decision by itself: cross-entropy and what weighs it anew."""

from __future__ import annotations

import tensorflow as tf

#: `asl`'s probability shift; its exponents are in its code, being 0 and a power of two.
_SHIFT = 0.05


def bce(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Binary cross-entropy, averaged over the batch and over labels.

    With u the logit and p = sigmoid(u):

        loss = -y * log(p) - (1 - y) * log(1 - p) = max(u, 0) - u * y + log(1 + exp(-abs(u)))

    The right side, which is computed, never overflows. Source: maximum likelihood; the form is that
    of `tf.nn.sigmoid_cross_entropy_with_logits`.

    The gradient with respect to u is (p - y) / (N * L): negative for positives, positive for
    negatives, never above 1 / (N * L), and not vanishing where p is wrong. p estimates P(y | x), so
    0.5 is rarely the threshold that is best for F1.

    Args:
      labels: (N, L), 0 or 1, or between them when smoothed; any numeric type.
      logits: (N, L), any floating type; computed in float32.

    Returns:
      A float32 scalar, at least 0, whatever the order of the batch.

    Example, log 2:
      >>> round(float(bce([[1], [0]], [[0.0], [0.0]])), 4)
      0.6931
    """
    labels, logits = tf.cast(labels, tf.float32), tf.cast(logits, tf.float32)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))


def asl(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Asymmetric loss: cross-entropy in which easy negatives weigh little, and very easy ones none.

    With p = sigmoid(logits) and q = max(p - 0.05, 0), the shifted probability:

        loss = -y * (1 - p)^0 * log(p) - (1 - y) * q^4 * log(1 - q)

    averaged over the batch and over labels. Source: T. Ridnik and others, "Asymmetric Loss For
    Multi-Label Classification" (2021, arXiv:2009.14119), with its gamma+ = 0, gamma- = 4 and
    m = 0.05. It sums where this averages, so that learning rates and the weights beside other
    losses mean the same here as for `bce`.

    The weight q^4 carries gradient, as in the paper's analysis, so that the gradient is that of the
    value; the code released with it may be told to hold the weight still instead. With respect to a
    logit it is, times N * L, p - 1 for a positive and
    q^4 * (1 / (1 - q) - 4 * log(1 - q) / q) * p * (1 - p) for a negative: none up to p = 0.05, the
    most near p = 0.9, and falling to none as p goes to 1, where a label is taken to be missing.

    Args:
      labels: (N, L), 0 or 1, or between them when smoothed; any numeric type.
      logits: (N, L), any floating type; computed in float32.

    Returns:
      A float32 scalar, at least 0, whatever the order of the batch. A negative costs at most
      0.95^4 * -log(0.05) = 2.44.

    Example, the mean of log 2 and 0.45^4 * -log(0.55):
      >>> round(float(asl([[1], [0]], [[0.0], [0.0]])), 4)
      0.3588
    """
    labels, logits = tf.cast(labels, tf.float32), tf.cast(logits, tf.float32)
    shifted = tf.nn.relu(tf.sigmoid(logits) - _SHIFT)
    # The shift keeps 1 - q at 0.05 or more: no logarithm of zero, no guard.
    negative = -tf.square(tf.square(shifted)) * tf.math.log1p(-shifted)
    positive = tf.nn.softplus(-logits)
    return tf.reduce_mean(labels * positive + (1.0 - labels) * negative)
