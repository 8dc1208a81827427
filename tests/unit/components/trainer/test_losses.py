import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from components.trainer.losses import macro_soft_f1, macro_soft_f1_from_logits

_SHAPES = st.tuples(st.integers(1, 17), st.integers(1, 5))


def reference(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The published form, counted out in float64."""
    tp = (probabilities * labels).sum(axis=0)
    fp = (probabilities * (1 - labels)).sum(axis=0)
    fn = ((1 - probabilities) * labels).sum(axis=0)
    return float(np.mean(1 - 2 * tp / (2 * tp + fn + fp + 1e-16)))


@st.composite
def batches(draw):
    shape = draw(_SHAPES)
    labels = draw(hnp.arrays(np.float32, shape, elements=st.sampled_from([0.0, 1.0])))
    floats = st.floats(0, 1, width=32, allow_subnormal=False)
    return labels, draw(hnp.arrays(np.float32, shape, elements=floats))


@settings(max_examples=200, deadline=None)
@given(batches())
def test_equals_the_numpy_reference(batch):
    labels, probabilities = batch
    expected = reference(labels.astype(np.float64), probabilities.astype(np.float64))
    assert macro_soft_f1(labels, probabilities).numpy() == pytest.approx(expected, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(batches(), st.randoms(use_true_random=False))
def test_does_not_depend_on_the_order_of_the_batch(batch, random):
    labels, probabilities = batch
    order = list(range(len(labels)))
    random.shuffle(order)
    shuffled = macro_soft_f1(labels[order], probabilities[order]).numpy()
    assert shuffled == pytest.approx(macro_soft_f1(labels, probabilities).numpy(), abs=1e-6)


def test_the_example_in_its_docstring():
    loss = macro_soft_f1([[1], [0]], tf.constant([[0.8], [0.4]]))
    assert loss.numpy() == pytest.approx(1 - 1.6 / 2.2, abs=1e-6)


def test_perfect_and_hopeless():
    labels = np.array([[1, 0], [0, 1]], np.float32)
    assert macro_soft_f1(labels, labels).numpy() == 0
    assert macro_soft_f1(labels, 1 - labels).numpy() == 1


def test_a_label_absent_and_never_given_costs_one_and_is_a_number():
    loss = macro_soft_f1(np.zeros((3, 1)), np.zeros((3, 1)))
    assert loss.numpy() == 1


def test_half_precision_is_computed_in_float32():
    loss = macro_soft_f1(tf.zeros((2, 1), tf.float16), tf.zeros((2, 1), tf.float16))
    assert loss.dtype == tf.float32
    assert np.isfinite(loss.numpy())


def test_gradient_has_the_two_values_its_docstring_derives():
    labels = np.array([[1], [1], [0]], np.float32)
    probabilities = tf.Variable([[0.9], [0.3], [0.5]])
    with tf.GradientTape() as tape:
        loss = macro_soft_f1(labels, probabilities)
    gradient = tape.gradient(loss, probabilities).numpy()[:, 0]
    total = 0.9 + 0.3 + 0.5 + 2
    f1 = 2 * 1.2 / total
    expected = [-(2 - f1) / total, -(2 - f1) / total, f1 / total]
    np.testing.assert_allclose(gradient, expected, rtol=1e-5)


def test_gradient_through_logits_equals_the_numerical_one():
    generator = np.random.default_rng(0)
    labels = (generator.random((6, 3)) < 0.4).astype(np.float32)
    logits = tf.Variable(generator.normal(size=(6, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        loss = macro_soft_f1_from_logits(labels, logits)
    gradient = tape.gradient(loss, logits).numpy()
    step = 1e-4
    for row, column in np.ndindex(*labels.shape):
        moved = logits.numpy().astype(np.float64)
        values = []
        for sign in (1, -1):
            shifted = moved.copy()
            shifted[row, column] += sign * step
            values.append(reference(labels, 1 / (1 + np.exp(-shifted))))
        numerical = (values[0] - values[1]) / (2 * step)
        assert gradient[row, column] == pytest.approx(numerical, abs=1e-5)
