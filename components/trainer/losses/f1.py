"""Losses that stand in for an F1 that has no gradient: probabilities take the place of decisions.

They are sums over a batch, so a batch must be large enough to estimate an F1 from.
"""

from __future__ import annotations

import tensorflow as tf

#: The published guard against 0 / 0: far below any count, so it changes no other value.
_GUARD = 1e-16
#: `soft_f1` counts one imaginary example that is right, as Laplace's rule does.
_IMAGINARY = 1.0
#: `sigmoid_f1`'s slope and offset, as its authors' released settings have them.
_SLOPE, _OFFSET = 10.0, 1.0


def macro_soft_f1(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Macro soft-F1: one minus F1 with probabilities in place of decisions, averaged over labels.

    With p = sigmoid(logits), S = sum(p) + sum(y) and sums over the batch, label by label:

        loss = 1 - F,    F = 2 * sum(p * y) / (S + 1e-16)

    which is 1 - 2TP / (2TP + FP + FN) where TP = sum(p * y), FP = sum(p * (1 - y)) and
    FN = sum((1 - p) * y). Source: A. Maiza, "The Unknown Benefits of using a Soft-F1 Loss in
    Classification Systems" (2019).

    The gradient with respect to p has two values a label, -(2 - F) / S for positives and F / S for
    negatives, so p is driven to 1 wherever P(y | x) > F / 2 and to 0 elsewhere: outputs saturate
    and are not probabilities. A label absent from the batch costs 1 and has no gradient, nor has
    any label whose p are all 0 or 1.

    Args:
      labels: (N, L), 0 or 1, or between them when smoothed; any numeric type.
      logits: (N, L), any floating type; computed in float32: in half precision the
        guard would be 0.

    Returns:
      A float32 scalar in [0, 1], whatever the order of the batch.

    Example, of probabilities 0.8 and 0.4, 1 - 1.6 / 2.2:
      >>> round(float(macro_soft_f1([[1], [0]], [[1.3863], [-0.4055]])), 4)
      0.2727
    """
    labels, logits = _float32(labels, logits)
    return tf.reduce_mean(1.0 - _f1(labels, tf.sigmoid(logits), 0.0, _GUARD))


def soft_f1(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Soft-F1 that an absent label does not spoil, averaged over labels.

    In the terms of `macro_soft_f1`, with epsilon = 1 above and below:

        loss = 1 - F,    F = (2 * sum(p * y) + 1) / (S + 1)

    Source: the Dice loss as S. Jadon gives it in "A Survey of Loss Functions for Semantic
    Segmentation" (2020, arXiv:2006.14822), a label in place of a segment.

    The gradient with respect to p is -(2 - F) / (S + 1) for positives and F / (S + 1) for
    negatives. A label absent from the batch costs sum(p) / (sum(p) + 1): nothing where it is not
    predicted, and otherwise its p are pushed down. A frequent label's loss hardly differs from
    `macro_soft_f1`'s; a rare one's is lower by up to 1 / (S + 1).

    Args:
      labels: (N, L), 0 or 1, or between them when smoothed; any numeric type.
      logits: (N, L), any floating type; computed in float32.

    Returns:
      A float32 scalar in [0, 1), whatever the order of the batch.

    Example, of probabilities 0.8 and 0.4, 1 - 2.6 / 3.2:
      >>> round(float(soft_f1([[1], [0]], [[1.3863], [-0.4055]])), 4)
      0.1875
    """
    labels, logits = _float32(labels, logits)
    return tf.reduce_mean(1.0 - _f1(labels, tf.sigmoid(logits), _IMAGINARY, _IMAGINARY))


def double_soft_f1(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Soft-F1 of having a label and of not having it, averaged over both and over labels.

    With F as in `macro_soft_f1`, and F0 the same of 1 - y and 1 - p:

        loss = 1 - (F + F0) / 2

    Source: A. Maiza's later notebook to "The Unknown Benefits of using a Soft-F1 Loss in
    Classification Systems" (2019).

    With S0 = sum(1 - p) + sum(1 - y), the gradient with respect to p is
    -((2 - F) / S + F0 / S0) / 2 for positives and (F / S + (2 - F0) / S0) / 2 for negatives. A
    label absent from the batch costs between 1/2 and 1 and its p are pushed down through F0.
    A rare label's S0 is large, so F0 adds little beside F.

    Args:
      labels: (N, L), 0 or 1, or between them when smoothed; any numeric type.
      logits: (N, L), any floating type; computed in float32.

    Returns:
      A float32 scalar in [0, 1], whatever the order of the batch.

    Example, of probabilities 0.8 and 0.4, 1 - (1.6 / 2.2 + 1.2 / 1.8) / 2:
      >>> round(float(double_soft_f1([[1], [0]], [[1.3863], [-0.4055]])), 4)
      0.303
    """
    labels, logits = _float32(labels, logits)
    having = _f1(labels, tf.sigmoid(logits), 0.0, _GUARD)
    # Not one minus the above: near 1 that has no digits left.
    lacking = _f1(1.0 - labels, tf.sigmoid(-logits), 0.0, _GUARD)
    return tf.reduce_mean(1.0 - (having + lacking) / 2.0)


def sigmoid_f1(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Soft-F1 with a steeper and shifted sigmoid, closer to decisions, averaged over labels.

    `macro_soft_f1` with, in place of p,

        S(u) = 1 / (1 + exp(-beta * (u + eta))),    beta = 10, eta = 1,

    u the logit. Source: G. Benedict, V. Koops, D. Odijk and M. de Rijke, "sigmoidF1: A Smooth F1
    Score Surrogate Loss for Multilabel Classification" (2021, arXiv:2108.10566); beta and eta are
    those of the settings released with it. At beta = 1 and eta = 0 it is `macro_soft_f1`.

    The gradient has the signs of `macro_soft_f1`'s, and is felt only near u = -eta: 10 / beta away
    on either side it is thousands of times smaller than there. A label whose logits start far below
    -eta, as a rare one's do at its prior odds, learns late or not at all: give it a companion, such
    as {bce: 1, sigmoid_f1: 1}.

    Args:
      labels: (N, L), 0 or 1, or between them when smoothed; any numeric type.
      logits: (N, L), any floating type; computed in float32.

    Returns:
      A float32 scalar in [0, 1], whatever the order of the batch.

    Example, S = 0.7311 and 0.2689, 1 - 2 * 0.7311 / 2:
      >>> round(float(sigmoid_f1([[1], [0]], [[-0.9], [-1.1]])), 4)
      0.2689
    """
    labels, logits = _float32(labels, logits)
    return macro_soft_f1(labels, _SLOPE * (logits + _OFFSET))


def _f1(labels: tf.Tensor, chosen: tf.Tensor, above: float, below: float) -> tf.Tensor:
    """(L,) soft F1 of (N, L) labels and shares chosen, with what is added above and below."""
    hits = tf.reduce_sum(chosen * labels, axis=0)
    total = tf.reduce_sum(chosen, axis=0) + tf.reduce_sum(labels, axis=0)
    return (2.0 * hits + above) / (total + below)


def _float32(labels: tf.Tensor, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cast(labels, tf.float32), tf.cast(logits, tf.float32)
