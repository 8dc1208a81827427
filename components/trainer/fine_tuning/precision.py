"""Half precision where a GPU gains by it, with a scaled loss.

The graph of a SavedModel has its types written in, so Keras's policies do not reach it: the graph
optimiser of TensorFlow rewrites it instead, a call at a time. What is called outside
`Precision.lowered`, the head and the loss above all, is computed in float32.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import tensorflow as tf

_OPTION = "auto_mixed_precision"
#: Slopes are multiplied by this at first, so that small ones do not vanish in half precision.
_FIRST_SCALE = 2.0**15
#: Steps without an overflow after which the scale is doubled.
_GROWTH_STEPS = 2000


class Precision(tf.Module):
    """The precision of the extractor's passes, and the scale of its gradients.

    The scale is dynamic: halved when a gradient overflows, doubled after many steps without.
    Source: P. Micikevicius et al., "Mixed Precision Training" (2018).

    Attributes:
      half: whether passes are in half precision; if not, the scale is 1 and stays so.
      scale: float32 variable, a power of two.
    """

    def __init__(self, half: bool) -> None:
        super().__init__(name="precision")
        self.half = half
        self.scale = tf.Variable(_FIRST_SCALE if half else 1.0, trainable=False, name="scale")
        self._good_steps = tf.Variable(0, trainable=False, name="good_steps")

    @contextlib.contextmanager
    def lowered(self) -> Iterator[None]:
        """Functions called inside the block run in half precision, if asked for."""
        if not self.half:
            yield
            return
        before = tf.config.optimizer.get_experimental_options().get(_OPTION, False)
        tf.config.optimizer.set_experimental_options({_OPTION: True})
        try:
            yield
        finally:
            tf.config.optimizer.set_experimental_options({_OPTION: before})

    def accept(self) -> None:
        """Notes a step whose gradients were finite."""
        if not self.half:
            return
        self._good_steps.assign_add(1)
        if self._good_steps >= _GROWTH_STEPS:
            self.scale.assign(self.scale * 2.0)
            self._good_steps.assign(0)

    def lower_scale(self) -> bool:
        """Halves the scale after an overflow; False if it cannot be what overflowed."""
        if self.scale <= 1.0:
            return False
        self.scale.assign(self.scale / 2.0)
        self._good_steps.assign(0)
        return True
