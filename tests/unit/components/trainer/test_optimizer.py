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
    shapes = [(70, 41), (41,), (41, 3)]
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
def test_each_step_is_tf_kerass_to_the_bit(changes):
    settings = TrainerSettings(hub_handle="embedded", epochs=4, **changes)
    ours, theirs = _variables(), _variables()
    mine = optimizer.adamw(settings, STEPS_PER_EPOCH, ours, [ours[0], ours[2]])
    reference = tf_keras.optimizers.AdamW(
        optimizer.learning_rate(settings, STEPS_PER_EPOCH),
        weight_decay=settings.weight_decay,
        beta_1=optimizer.BETAS[0],
        beta_2=optimizer.BETAS[1],
    )
    reference.exclude_from_weight_decay(var_list=[theirs[1]])
    reference.build(theirs)

    # In graphs, where TensorFlow multiplies rate and decay first.
    @tf.function(autograph=False)
    def apply(gradients):
        mine.apply_gradients(zip(gradients, ours, strict=True))
        reference.apply_gradients(zip(gradients, theirs, strict=True))

    for step in range(settings.epochs * STEPS_PER_EPOCH):
        apply(_gradients(step))
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert int(mine.iterations) == settings.epochs * STEPS_PER_EPOCH
    assert not np.allclose(ours[0].numpy(), _variables()[0].numpy(), atol=1e-3)
