"""Gradients of a loss over a whole batch, however few of its images a device holds at once.

Soft-F1 is a ratio of sums over the batch, no mean over examples: averaging its gradients over parts
of a batch trains with another loss. The chain rule splits the pass exactly, with f the features:

    1. f = extractor(images), part by part, without a tape;
    2. loss(head(f)) on the whole batch with a tape, which gives the head's gradients and dL/df;
    3. extractor(images) again, part by part with a tape, each part started from its rows of dL/df.

Since dL/df is fixed by then, the sum of the parts' gradients is the whole batch's. It costs one
more forward pass. Source: L. Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory
Limited Setup" (2021).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from components import pixels
from components.trainer.fine_tuning.devices import names


class WholeBatch:
    """Passes of whole batches through an extractor that is mirrored on every device.

    Every pass is in rounds: each device takes as many images as it can hold. The last round is
    filled up with black images, whose features are dropped and whose slopes are zero, so that there
    is one shape and one trace.
    """

    def __init__(
        self,
        extractor: Callable[[tf.Tensor], tf.Tensor],
        variables: Sequence[tf.Variable],
        strategy: tf.distribute.Strategy,
        device_batch_size: int,
    ) -> None:
        """Nothing is traced before it is called.

        Args:
          extractor: (N, size, size, 3) float32 in [0, 1] -> (N, D) float32, made in the strategy's
            scope; N is always the device's batch.
          variables: those of the extractor that gradients are for.
          strategy: the devices.
          device_batch_size: images a device takes at once.
        """
        self._extractor = extractor
        self._variables = list(variables)
        self._strategy = strategy
        self._devices = names(strategy)
        self._device_batch = device_batch_size

    def rounds(self, rows: tf.Tensor) -> list[Any]:
        """Shares a batch's rows out: one value a round, on the devices already.

        Args:
          rows: (N, ...), such as (N, size, size, 3) uint8 images. All end up on the devices,
            where they wait for the second pass.
        """
        with tf.device("CPU:0"):
            missing = -len(rows) % (self._device_batch * len(self._devices))
            filled = tf.pad(rows, [(0, missing)] + [(0, 0)] * (len(rows.shape) - 1))
            parts = tf.split(filled, len(filled) // self._device_batch)
        return [
            self._strategy.experimental_distribute_values_from_function(
                functools.partial(self._placed, parts[start : start + len(self._devices)])
            )
            for start in range(0, len(parts), len(self._devices))
        ]

    def features(self, rounds: Sequence[Any], count: int) -> tf.Tensor:
        """The (count, D) float32 features of the images in `rounds`, in order."""
        local = self._strategy.experimental_local_results
        parts = [part for images in rounds for part in local(self._forward(images))]
        return tf.concat(parts, axis=0)[:count]

    def gradients(self, rounds: Sequence[Any], slopes: tf.Tensor) -> list[tf.Tensor]:
        """The gradients of the variables, summed over images and devices.

        Args:
          rounds: the images.
          slopes: (N, D) float32, the loss's derivative with respect to their features.

        Returns:
          One tensor a variable.
        """
        sums = self._zeros()
        for images, part in zip(rounds, self.rounds(slopes), strict=True):
            sums = self._backward(images, part, sums)
        return self._total(sums)

    def _placed(
        self, parts: Sequence[tf.Tensor], context: tf.distribute.experimental.ValueContext
    ) -> tf.Tensor:
        replica = context.replica_id_in_sync_group
        with tf.device(self._devices[replica]):
            return tf.identity(parts[replica])

    @tf.function(autograph=False)
    def _zeros(self) -> Any:
        return self._strategy.run(lambda: [tf.zeros_like(each) for each in self._variables])

    @tf.function(autograph=False)
    def _forward(self, images: Any) -> Any:
        return self._strategy.run(
            lambda each: self._extractor(pixels.normalize(each)), args=(images,)
        )

    @tf.function(autograph=False)
    def _backward(self, images: Any, slopes: Any, sums: Any) -> Any:
        """The sums so far, a device each, with one round's gradients added."""

        def on_device(images: tf.Tensor, slopes: tf.Tensor, sums: Any) -> list[tf.Tensor]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(self._variables)
                features = self._extractor(pixels.normalize(images))
            gradients = tape.gradient(features, self._variables, output_gradients=slopes)
            return [total + gradient for total, gradient in zip(sums, gradients, strict=True)]

        return self._strategy.run(on_device, args=(images, slopes, sums))

    @tf.function(autograph=False)
    def _total(self, sums: Any) -> list[tf.Tensor]:
        """Sums over devices."""
        reduce = self._strategy.reduce
        return [reduce(tf.distribute.ReduceOp.SUM, each, axis=None) for each in sums]


def device_batch(batch_size: int, limit: int, devices: int) -> int:
    """Images a device takes at once: its share of a batch, or the limit if that is smaller."""
    return min(limit, math.ceil(batch_size / devices))


def head_and_slopes(
    loss: Callable[[tf.Tensor], tf.Tensor], variables: Sequence[tf.Variable], features: tf.Tensor
) -> tuple[tf.Tensor, list[tf.Tensor], tf.Tensor]:
    """Step 2: the loss on a whole batch's features, and its gradients.

    Args:
      loss: from (N, D) features to a scalar.
      variables: of the head.
      features: (N, D) float32.

    Returns:
      The loss, its gradients with respect to the variables, and with respect to the features.
    """
    with tf.GradientTape() as tape:
        tape.watch(features)
        value = loss(features)
    gradients, slopes = tape.gradient(value, (list(variables), features))
    return value, gradients, slopes
