"""The optimiser: AdamW on a schedule, and a running mean of the weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf
import tf_keras

from components.trainer.settings import TrainerSettings

#: Of Adam's moments, as single precision has them: what 1 - beta is depends on it by 1e-5.
BETAS = (float(np.float32(0.9)), float(np.float32(0.999)))


def adamw(
    settings: TrainerSettings,
    steps_per_epoch: int,
    variables: Sequence[tf.Variable],
    decayed: Sequence[tf.Variable],
) -> tf_keras.optimizers.Optimizer:
    """Adam with decoupled weight decay.

    Source: I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization" (2019).

    Args:
      settings: rate, schedule, warm-up, decay and epochs.
      steps_per_epoch: of the training split.
      variables: all that it will move; its own variables are made for them at once, so that it may
        be used in a `tf.function`.
      decayed: those of them that weight decay is for.
    """
    optimizer = _AdamW(
        learning_rate(settings, steps_per_epoch),
        weight_decay=settings.weight_decay,
        beta_1=BETAS[0],
        beta_2=BETAS[1],
    )
    kept = {variable.ref() for variable in decayed}
    optimizer.exclude_from_weight_decay(
        var_list=[variable for variable in variables if variable.ref() not in kept]
    )
    optimizer.build(list(variables))
    return optimizer


class _AdamW(tf_keras.optimizers.AdamW):
    """tf_keras's, on a CPU to the bit, with two passes over a variable in place of its sixteen.

    Its own writes every intermediate result to memory, which takes as long as the matrix products.
    It subtracts 1 - beta in double precision, the operation used here in single: so that both get
    the same, the betas must be numbers of single precision.
    """

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable) -> None:
        """See the base class; gradients are dense here."""
        rate = tf.cast(self.learning_rate, variable.dtype)
        if self._use_weight_decay(variable):
            decay = rate * tf.cast(self.weight_decay, variable.dtype)
            tf.raw_ops.ResourceApplyGradientDescent(
                var=variable.handle, alpha=decay, delta=variable
            )
        number = self._index_dict[self._var_key(variable)]
        step = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[number].handle,
            v=self._velocities[number].handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )

    def _apply_weight_decay(self, variables: Sequence[tf.Variable]) -> None:
        """Part of `update_step`."""


def learning_rate(
    settings: TrainerSettings, steps_per_epoch: int
) -> float | tf_keras.optimizers.schedules.LearningRateSchedule:
    """The rate as a function of the step: a linear rise, then a cosine to zero or a constant."""
    warmup = settings.warmup_epochs * steps_per_epoch
    if settings.schedule == "cosine":
        return tf_keras.optimizers.schedules.CosineDecay(
            0.0 if warmup else settings.learning_rate,
            decay_steps=max(settings.epochs * steps_per_epoch - warmup, 1),
            warmup_target=settings.learning_rate if warmup else None,
            warmup_steps=warmup,
        )
    if not warmup:
        return settings.learning_rate
    return tf_keras.optimizers.schedules.PolynomialDecay(
        0.0, decay_steps=warmup, end_learning_rate=settings.learning_rate
    )


class MovingAverage:
    """A running mean of variables, which can stand in for them.

    After update t, from 1, each mean is d * mean + (1 - d) * variable, where d is the smaller of
    the decay and t / (10 + t): the first weights, which are noise, do not linger.
    """

    def __init__(self, variables: Sequence[tf.Variable], decay: float) -> None:
        """Starts at the variables' values; a decay of 0 costs nothing and changes nothing."""
        self._variables = list(variables) if decay else []
        self._means = [tf.Variable(variable, trainable=False) for variable in self._variables]
        self._decay = decay

    def update(self, step: tf.Tensor) -> None:
        """Follows the variables after step `step`, a scalar from 1; may be traced."""
        step = tf.cast(step, tf.float32)
        decay = tf.minimum(self._decay, step / (10.0 + step))
        for mean, variable in zip(self._means, self._variables, strict=True):
            mean.assign_sub((1.0 - decay) * (mean - variable))

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """The variables hold their means inside the block, and their own values again after it."""
        own = [variable.numpy() for variable in self._variables]
        self.apply()
        try:
            yield
        finally:
            for variable, value in zip(self._variables, own, strict=True):
                variable.assign(value)

    def apply(self) -> None:
        """Gives the variables their means, for good."""
        for variable, mean in zip(self._variables, self._means, strict=True):
            variable.assign(mean)
