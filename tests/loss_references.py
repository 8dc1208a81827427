"""Every loss written out in float64 NumPy, straight from its source."""

import numpy as np
import tensorflow as tf
from scipy.special import expit, log_expit


def _soft_f1(labels, chosen, above, below):
    tp = (chosen * labels).sum(axis=0)
    fp = (chosen * (1 - labels)).sum(axis=0)
    fn = ((1 - chosen) * labels).sum(axis=0)
    return (2 * tp + above) / (2 * tp + fp + fn + below)


def macro_soft_f1(labels, logits):
    return np.mean(1 - _soft_f1(labels, expit(logits), 0, 1e-16))


def soft_f1(labels, logits):
    return np.mean(1 - _soft_f1(labels, expit(logits), 1, 1))


def double_soft_f1(labels, logits):
    having = 1 - _soft_f1(labels, expit(logits), 0, 1e-16)
    lacking = 1 - _soft_f1(1 - labels, expit(-logits), 0, 1e-16)
    return np.mean((having + lacking) / 2)


def sigmoid_f1(labels, logits):
    return np.mean(1 - _soft_f1(labels, expit(10 * (logits + 1)), 0, 1e-16))


def bce(labels, logits):
    return np.mean(-labels * log_expit(logits) - (1 - labels) * log_expit(-logits))


def asl(labels, logits):
    shifted = np.maximum(expit(logits) - 0.05, 0)
    positive = -log_expit(logits)
    negative = -(shifted**4) * np.log(1 - shifted)
    return np.mean(labels * positive + (1 - labels) * negative)


REFERENCES = {
    loss.__name__: loss for loss in (macro_soft_f1, soft_f1, double_soft_f1, sigmoid_f1, bce, asl)
}


def gradient(loss, labels, logits):
    """(N, L) gradient of a loss with respect to its logits, as TensorFlow has it."""
    logits = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(labels, logits)
    return tape.gradient(value, logits).numpy()
