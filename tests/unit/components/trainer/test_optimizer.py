"""The optimiser against tf_keras's own, step by step."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from components.trainer import optimizer
from components.trainer.settings import TrainerSettings

STEPS_PER_EPOCH = 5


def _variables():
    generator = np.random.default_rng(0)
    shapes = [(7, 4), (4,), (4, 3)]
    return [tf.Variable(generator.normal(size=shape).astype("f")) for shape in shapes]


def _gradients(step):
    generator = np.random.default_rng(step)
    return [tf.constant(generator.normal(size=v.shape).astype("f")) for v in _variables()]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"weight_decay": 0.0},
        {"schedule": "constant"},
        {"warmup_epochs": 1, "learning_rate": 0.1},
    ],
)
def test_each_step_is_tf_kerass_up_to_rounding(changes):
    settings = TrainerSettings(hub_handle="embedded", epochs=4, **changes)
    ours, theirs = _variables(), _variables()
    mine = optimizer.adamw(settings, STEPS_PER_EPOCH, ours, [ours[0], ours[2]])
    reference = tf_keras.optimizers.AdamW(
        optimizer.learning_rate(settings, STEPS_PER_EPOCH), weight_decay=settings.weight_decay
    )
    reference.exclude_from_weight_decay(var_list=[theirs[1]])
    reference.build(theirs)

    @tf.function(autograph=False)
    def apply(gradients):
        mine.apply_gradients(zip(gradients, ours, strict=True))

    for step in range(settings.epochs * STEPS_PER_EPOCH):
        gradients = _gradients(step)
        apply(gradients)
        reference.apply_gradients(zip(gradients, theirs, strict=True))
        for one, other in zip(ours, theirs, strict=True):
            # A moment's share of a gradient, 1 - 0.999, has four digits in single precision.
            tolerance = 1e-6 + 1e-4 * settings.learning_rate
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=0, atol=tolerance)
    assert int(mine.iterations) == settings.epochs * STEPS_PER_EPOCH
    assert not np.allclose(ours[0].numpy(), _variables()[0].numpy(), atol=1e-3)
