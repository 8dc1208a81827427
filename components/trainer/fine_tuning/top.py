"""The part of an extractor that is trained: its top, batch normalisation aside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from components.errors import PostersError
from components.trainer.fine_tuning.forward_order import forward_order

if TYPE_CHECKING:
    import tensorflow_hub as hub

_WAYS_OUT = (
    "Take a TF2 module that its page calls fine-tunable, or leave the extractor frozen: remove "
    "trainer.fine_tune."
)


def top_positions(layer: hub.KerasLayer, handle: str, image_size: int, share: float) -> list[int]:
    """Which of a module's trainable variables move.

    Batch normalisation stays as it is: its moving averages belong to its gamma and beta, and a
    device's share of a batch is too small to estimate them anew. It takes no part in the count.

    Args:
      layer: the extractor, loaded without a distribution strategy; it is not changed.
      handle: `trainer.hub_handle`, for errors.
      image_size: side in pixels.
      share: in (0, 1], of the variables that could move; at least one does.

    Returns:
      Positions in the module's `trainable_variables`, the last `share` of them in the order of the
      forward pass.

    Raises:
      PostersError: the module has no trainable variable, or no gradient comes through to one.
    """
    module = layer.resolved_object
    variables = list(getattr(module, "trainable_variables", ()))
    normalised = _scopes_of_moving_averages(getattr(module, "variables", ()))
    spec = tf.TensorSpec((None, image_size, image_size, 3), tf.float32)
    movable = [
        position
        for position in forward_order(lambda images: layer(images), spec, variables)
        if _scope(variables[position]) not in normalised
    ]
    if not movable:
        raise PostersError(
            f"trainer.hub_handle: {handle} has no trainable variable besides batch "
            f"normalisation's, so trainer.fine_tune has nothing to train. {_WAYS_OUT}"
        )
    top = movable[-math.ceil(share * len(movable)) :]
    reached = _reached(layer, [variables[position] for position in top], handle, image_size)
    return [position for position, gradient in zip(top, reached, strict=True) if gradient]


def _reached(
    layer: hub.KerasLayer, variables: Sequence[tf.Variable], handle: str, image_size: int
) -> list[bool]:
    """For each variable, whether a gradient comes through from the features to it."""
    images = tf.random.stateless_uniform((1, image_size, image_size, 3), (0, 0))
    try:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            features = layer(images)
        gradients = tape.gradient(features, variables)
        reason = "its graph stops them"
    except LookupError as error:  # an operation of the graph has no gradient
        gradients, reason = [None], str(error).split("\n", 1)[0]
    if all(gradient is None for gradient in gradients):
        raise PostersError(
            f"trainer.hub_handle: no gradient comes through {handle} ({reason}), so "
            f"trainer.fine_tune cannot train it. {_WAYS_OUT}"
        )
    return [gradient is not None for gradient in gradients]


def _scopes_of_moving_averages(variables: Sequence[tf.Variable]) -> set[str]:
    """Scopes that hold a moving average: what else they hold is gamma and beta."""
    return {_scope(each) for each in variables if "moving_" in each.name.rsplit("/", 1)[-1]}


def _scope(variable: tf.Variable) -> str:
    return variable.name.rpartition("/")[0]
