"""The devices that a fine-tuning runs on."""

from __future__ import annotations

import tensorflow as tf

from components.errors import PostersError


def choose_strategy() -> tf.distribute.Strategy:
    """All GPUs of this machine if there are any, else its processor.

    Returns:
      `MirroredStrategy` over several GPUs, `OneDeviceStrategy` on one, else the default strategy.
    """
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    if len(gpus) > 1:
        return tf.distribute.MirroredStrategy(gpus)
    return tf.distribute.OneDeviceStrategy(gpus[0]) if gpus else tf.distribute.get_strategy()


def describe(strategy: tf.distribute.Strategy) -> str:
    """A few words for a person, such as `2 GPUs` or `the processor`."""
    count = len(names(strategy))
    if has_gpu(strategy):
        return "1 GPU" if count == 1 else f"{count} GPUs"
    return "the processor" if count == 1 else f"{count} devices"


def has_gpu(strategy: tf.distribute.Strategy) -> bool:
    """Whether the strategy computes on GPUs."""
    return any("GPU" in name for name in names(strategy))


def names(strategy: tf.distribute.Strategy) -> tuple[str, ...]:
    """Names of the devices that compute; the default strategy does not know its own."""
    known = isinstance(strategy, (tf.distribute.MirroredStrategy, tf.distribute.OneDeviceStrategy))
    return strategy.extended.worker_devices if known else ("/device:CPU:0",)


def check_batch(strategy: tf.distribute.Strategy, batch_size: int) -> None:
    """Refuses a batch of which some device would get nothing.

    Raises:
      PostersError: there are more devices than images in a batch.
    """
    devices = strategy.num_replicas_in_sync
    if batch_size < devices:
        raise PostersError(
            f"trainer.fine_tune.batch_size: a batch of {batch_size} cannot be shared by {devices} "
            f"devices. Set it to {devices} or more, or show TensorFlow fewer devices "
            "(CUDA_VISIBLE_DEVICES)."
        )
