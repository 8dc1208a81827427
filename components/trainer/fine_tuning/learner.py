"""One extractor and one head that learn together, a whole batch a step."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import tensorflow as tf

from components.trainer import extractor, losses, optimizer
from components.trainer.fine_tuning import devices
from components.trainer.fine_tuning.gradients import WholeBatch, device_batch, head_and_slopes
from components.trainer.fine_tuning.precision import Precision
from components.trainer.fine_tuning.top import top_positions
from components.trainer.head import Head
from components.trainer.settings import TrainerSettings


class Learner:
    """The trainable copy of the extractor, the head, and what moves them.

    The extractor is mirrored on every device; the head, whose work is small, is on one, so that
    what it drops at random does not depend on the devices.

    Attributes:
      top: the variables of the extractor that move.
    """

    def __init__(
        self,
        head: Head,
        settings: TrainerSettings,
        image_size: int,
        steps_per_epoch: int,
        strategy: tf.distribute.Strategy,
    ) -> None:
        """Loads the extractor once more; the one that `extractor.load` shares stays as it is.

        Args:
          head: trained; it goes on from there.
          settings: with `fine_tune`.
          image_size: side in pixels.
          steps_per_epoch: batches of the training split.
          strategy: the devices.

        Raises:
          PostersError: the extractor cannot be trained.
        """
        tuning = settings.fine_tune
        handle = settings.hub_handle
        loaded = extractor.load_layer(handle, image_size)
        self._positions = top_positions(loaded, handle, image_size, tuning.trainable_share)
        self._head, self._settings, self._strategy = head, settings, strategy
        self._loss = losses.build(settings.loss)
        # Head and top follow one schedule, the first stage's with another rate and no warm-up: the
        # head is trained already.
        scheduled = dataclasses.replace(
            settings, learning_rate=tuning.learning_rate, epochs=tuning.epochs, warmup_epochs=0
        )
        # Where nothing is mirrored, what is loaded already will do: a copy takes seconds.
        mirrored = strategy is not tf.distribute.get_strategy()
        with strategy.scope():
            layer = extractor.load_copy(handle, trainable=True) if mirrored else loaded
            self.top = self._of_module(layer)
            kernels = [variable for variable in self.top if variable.shape.rank > 1]
            self._top_optimizer = optimizer.adamw(scheduled, steps_per_epoch, self.top, kernels)
        self._head_optimizer = optimizer.adamw(
            scheduled, steps_per_epoch, head.trainable_variables, head.kernels
        )
        self._precision = Precision(half=tuning.mixed_precision and devices.has_gpu(strategy))
        # Batch normalisation stays in inference mode.
        self._passes = WholeBatch(
            lambda images: layer(images, training=False),
            self.top,
            strategy,
            device_batch(tuning.batch_size, tuning.device_batch_size, len(devices.names(strategy))),
        )

    @property
    def half_precision(self) -> bool:
        """Whether the extractor is passed in half precision."""
        return self._precision.half

    @property
    def state(self) -> dict[str, Any]:
        """All that changes while learning, by name, to be tracked by a checkpoint."""
        return {
            "top": self.top,
            "head": self._head,
            "top_optimizer": self._top_optimizer,
            "head_optimizer": self._head_optimizer,
            "precision": self._precision,
        }

    def step(self, images: tf.Tensor, labels: tf.Tensor, number: int) -> float:
        """Learns from one batch.

        Args:
          images: (N, size, size, 3) uint8.
          labels: (N, L) multi-hot.
          number: of the step, from 1 over all epochs; it seeds what is dropped.

        Returns:
          The loss before the step. Where it or a gradient is not finite nothing is learned; NaN is
          returned unless the scale of half precision was at fault.
        """
        rounds = self._passes.rounds(images)
        with self._precision.lowered():
            features = self._passes.features(rounds, len(labels))
        loss, of_head, slopes = self._head_step(features, labels, tf.constant(number))
        if not math.isfinite(loss):
            return float(loss)
        with self._precision.lowered():
            scaled = self._passes.gradients(rounds, slopes * self._precision.scale)
        of_top, finite = _unscaled(scaled, self._precision.scale)
        if finite:
            self._apply(of_top, of_head)
            self._precision.accept()
        elif not self._precision.lower_scale():
            return math.nan
        return float(loss)

    def score(self, batches: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
        """(N, L) float32 logits, in float32 throughout, and labels of batches, row for row."""
        logits, labels = [], []
        for images, truth in batches:
            features = self._passes.features(self._passes.rounds(images), len(truth))
            logits.append(self._head(features).numpy())
            labels.append(truth.numpy())
        return np.concatenate(logits), np.concatenate(labels)

    def loss(self, labels: np.ndarray, logits: np.ndarray) -> float:
        """The loss that settings name, of (N, L) labels and logits."""
        return float(self._loss(tf.constant(labels), tf.constant(logits)))

    def learning_rate(self) -> float:
        """The rate at the last step."""
        return float(self._head_optimizer.learning_rate)

    def tuned_extractor(self) -> Any:
        """A frozen `hub.KerasLayer` on its own, outside the strategy, with the weights of now."""
        layer = extractor.load_copy(self._settings.hub_handle, trainable=False)
        for variable, tuned in zip(self._of_module(layer), self.top, strict=True):
            variable.assign(tuned.numpy())
        return layer

    def _of_module(self, layer: Any) -> list[tf.Variable]:
        variables = layer.resolved_object.trainable_variables
        return [variables[position] for position in self._positions]

    @tf.function(reduce_retracing=True, autograph=False)
    def _head_step(self, features: tf.Tensor, labels: tf.Tensor, number: tf.Tensor) -> tuple:
        smoothing = self._settings.label_smoothing
        smooth = labels * (1.0 - smoothing) + 0.5 * smoothing

        def loss(features: tf.Tensor) -> tf.Tensor:
            seed = tf.stack([self._settings.seed, number])
            outputs = tf.unstack(self._head.member_logits(features, seed))
            return tf.add_n([self._loss(smooth, each) for each in outputs]) / len(outputs)

        return head_and_slopes(loss, self._head.trainable_variables, features)

    def _apply(self, of_top: list[tf.Tensor], of_head: list[tf.Tensor]) -> None:
        self._apply_to_head(of_head)
        self._apply_to_top(of_top)

    @tf.function(autograph=False)
    def _apply_to_head(self, gradients: list[tf.Tensor]) -> None:
        variables = self._head.trainable_variables
        self._head_optimizer.apply_gradients(zip(gradients, variables, strict=True))

    @tf.function(autograph=False)
    def _apply_to_top(self, gradients: list[tf.Tensor]) -> None:
        """On every device the same: the gradients are summed over devices already."""

        def on_device(gradients: list[tf.Tensor]) -> None:
            self._top_optimizer.apply_gradients(
                zip(gradients, self.top, strict=True), skip_gradients_aggregation=True
            )

        self._strategy.run(on_device, args=(gradients,))


@tf.function(autograph=False)
def _unscaled(gradients: list[tf.Tensor], scale: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
    """Gradients without the scale, and whether all of them are finite."""
    plain = [gradient / scale for gradient in gradients]
    finite = [tf.reduce_all(tf.math.is_finite(gradient)) for gradient in plain]
    return plain, tf.reduce_all(finite)
