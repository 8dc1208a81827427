import pytest
import tensorflow as tf

from components.errors import PostersError
from components.trainer.fine_tuning import devices


def test_the_strategy_has_every_gpu_or_else_the_processor():
    strategy = devices.choose_strategy()
    count = len(tf.config.list_logical_devices("GPU"))
    assert strategy.num_replicas_in_sync == max(count, 1)
    assert devices.has_gpu(strategy) == bool(count)
    if not count:
        assert strategy is tf.distribute.get_strategy()


def test_devices_are_described_for_a_person():
    assert devices.describe(tf.distribute.OneDeviceStrategy("GPU:0")) == "1 GPU"
    assert devices.describe(tf.distribute.OneDeviceStrategy("CPU:0")) == "the processor"
    assert devices.describe(tf.distribute.get_strategy()) == "the processor"


def test_one_image_a_batch_is_enough_for_one_device():
    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    devices.check_batch(strategy, 1)
    with pytest.raises(PostersError, match=r"trainer\.fine_tune\.batch_size: a batch of 0"):
        devices.check_batch(strategy, 0)
