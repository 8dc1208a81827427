"""What holds for every loss; what one alone claims is tested beside, by its module."""

import doctest
import typing

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from components.trainer import losses
from components.trainer.losses import LOSSES, build, cross_entropy, f1
from components.trainer.settings import LossName, TrainerSettings
from tests.loss_references import REFERENCES, gradient

UNBOUNDED = {"bce", "asl"}
every_loss = pytest.mark.parametrize("name", sorted(LOSSES))


BINARY, SMOOTHED = st.sampled_from([0.0, 1.0]), st.floats(0, 1, width=32)


@st.composite
def batches(draw, elements=BINARY):
    shape = draw(st.tuples(st.integers(1, 17), st.integers(1, 5)))
    logits = st.floats(-15, 15, width=32, allow_subnormal=False)
    return (
        draw(hnp.arrays(np.float32, shape, elements=elements)),
        draw(hnp.arrays(np.float32, shape, elements=logits)),
    )


def test_the_configuration_knows_the_same_names():
    assert set(typing.get_args(LossName)) == set(LOSSES) == set(REFERENCES)


@pytest.mark.parametrize(("module", "examples"), [(f1, 4), (cross_entropy, 2), (losses, 2)])
def test_the_examples_in_the_docstrings_are_right(module, examples):
    result = doctest.testmod(module)
    assert (result.failed, result.attempted) == (0, examples)


@every_loss
@settings(max_examples=50, deadline=None)
@given(batch=batches())
def test_equals_the_reference_in_numpy(name, batch):
    labels, logits = batch
    expected = REFERENCES[name](labels.astype(np.float64), logits.astype(np.float64))
    assert LOSSES[name](labels, logits).numpy() == pytest.approx(expected, rel=1e-4, abs=1e-5)


@every_loss
@settings(max_examples=50, deadline=None)
@given(batch=batches(SMOOTHED))
def test_stays_in_its_range_with_smoothed_labels_too(name, batch):
    value = LOSSES[name](*batch).numpy()
    assert -1e-6 <= value <= (15.001 if name in UNBOUNDED else 1 + 1e-6)


@every_loss
@settings(max_examples=30, deadline=None)
@given(batch=batches(), seed=st.integers(0, 100))
def test_the_order_of_the_batch_does_not_matter(name, batch, seed):
    labels, logits = batch
    order = np.random.default_rng(seed).permutation(len(labels))
    shuffled = LOSSES[name](labels[order], logits[order]).numpy()
    assert shuffled == pytest.approx(LOSSES[name](labels, logits).numpy(), rel=1e-5, abs=1e-6)


@every_loss
def test_the_gradient_is_the_numerical_one(name):
    generator = np.random.default_rng(0)
    labels = (generator.random((6, 3)) < 0.4).astype(np.float64)
    labels[:, 2] = 0
    # Near where sigmoid_f1 is steep, so that its gradient is no row of zeros.
    logits = generator.normal(-1, 0.7, size=(6, 3)).astype(np.float32)
    found = gradient(LOSSES[name], labels, logits)
    for place in np.ndindex(*labels.shape):
        moved = np.zeros_like(labels)
        moved[place] = 1e-5
        rise = REFERENCES[name](labels, logits + moved) - REFERENCES[name](labels, logits - moved)
        assert found[place] == pytest.approx(rise / 2e-5, rel=1e-3, abs=1e-5)


@every_loss
@pytest.mark.parametrize("scale", [1e2, 1e4, 1e30])
def test_extreme_logits_give_numbers_and_gradients(name, scale):
    labels = np.array([[1, 0, 1], [0, 0, 1], [1, 0, 0]], np.float32)
    for sign in (1, -1):
        wrong = scale * sign * np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]], np.float32)
        assert np.isfinite(LOSSES[name](labels, wrong).numpy())
        assert np.isfinite(gradient(LOSSES[name], labels, wrong)).all()


@every_loss
def test_a_perfect_answer_costs_nothing_where_every_label_occurs(name):
    labels = np.array([[1, 0], [0, 1]], np.float32)
    assert LOSSES[name](labels, 100 * (2 * labels - 1)).numpy() == pytest.approx(0, abs=1e-6)


@every_loss
@pytest.mark.parametrize("kind", [tf.float16, tf.bfloat16, tf.float64])
def test_any_numeric_type_is_computed_in_float32(name, kind):
    labels = tf.constant([[1, 0], [0, 0], [1, 0]], tf.int64)
    logits = tf.constant([[-1, -8], [-0.5, -8], [2, -8]], kind)
    value = LOSSES[name](labels, logits)
    assert value.dtype == tf.float32
    assert value.numpy() == LOSSES[name](tf.cast(labels, tf.float32), tf.cast(logits, tf.float32))


@every_loss
@settings(max_examples=30, deadline=None)
@given(batch=batches())
def test_positives_are_never_pushed_down_nor_negatives_up(name, batch):
    labels, logits = batch
    found = gradient(LOSSES[name], labels, logits)
    assert (np.where(labels > 0, -found, found) >= -1e-7).all()


def test_build_weighs_and_adds():
    labels, logits = [[1, 0], [0, 1]], [[0.5, -1.0], [-2.0, 0.1]]
    both = build({"bce": 4, "macro_soft_f1": 0.5})(labels, logits)
    alone = 4 * losses.bce(labels, logits) + 0.5 * losses.macro_soft_f1(labels, logits)
    assert both.dtype == tf.float32
    assert both.numpy() == pytest.approx(alone.numpy(), rel=1e-6)


def test_the_order_of_names_changes_no_digit():
    generator = np.random.default_rng(1)
    labels = (generator.random((50, 4)) < 0.3).astype(np.float32)
    logits = generator.normal(size=(50, 4)).astype(np.float32)
    weights = {"soft_f1": 0.3, "bce": 0.7, "asl": 1.1}
    backwards = dict(reversed(weights.items()))
    assert build(weights)(labels, logits).numpy() == build(backwards)(labels, logits).numpy()


def test_build_takes_what_the_settings_hold():
    built = build(TrainerSettings(hub_handle="x", loss="bce").loss)
    assert built([[1]], [[0.0]]).numpy() == pytest.approx(np.log(2), rel=1e-6)


def test_a_name_that_is_no_loss_is_named():
    with pytest.raises(KeyError, match="hinge"):
        build({"hinge": 1.0})
