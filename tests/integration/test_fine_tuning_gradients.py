"""The whole batch's gradients, part by part: the same as with one tape over all of it."""

import numpy as np
import pytest
import tensorflow as tf

from components import pixels
from components.trainer import extractor
from components.trainer.fine_tuning.gradients import WholeBatch, device_batch, head_and_slopes
from components.trainer.fine_tuning.top import top_positions
from components.trainer.losses import macro_soft_f1
from tests import fine_tuning

COUNT = 11
#: Largest difference of a gradient, as a share of the largest of its variable.
CLOSE = 1e-5

IMAGES = tf.constant(np.random.default_rng(0).integers(0, 256, (COUNT, 96, 96, 3), dtype=np.uint8))
TRUTH = tf.constant(
    np.random.default_rng(1).integers(0, 2, (COUNT, fine_tuning.LABELS)), tf.float32
)


def load_parts():
    """An extractor, the variables of its upper half, and a head."""
    layer = extractor.load_copy(extractor.EMBEDDED, trainable=True)
    positions = top_positions(layer, extractor.EMBEDDED, 96, 0.5)
    variables = [layer.resolved_object.trainable_variables[position] for position in positions]
    return layer, variables, fine_tuning.new_head()


@pytest.fixture(scope="module")
def parts():
    return load_parts()


@pytest.fixture(scope="module")
def whole(parts):
    """The loss and the gradients of top and head with one tape."""
    return one_tape(parts)


def _loss(head, features, labels=TRUTH):
    return macro_soft_f1(labels, head(features))


def one_tape(parts, images=IMAGES, labels=TRUTH):
    layer, variables, head = parts

    # Traced, as the parts are: TensorFlow fuses operations only then, and rounds otherwise.
    @tf.function(autograph=False)
    def gradients():
        with tf.GradientTape() as tape:
            loss = _loss(head, layer(pixels.normalize(images), training=False), labels)
        return loss, *tape.gradient(loss, (variables, list(head.trainable_variables)))

    return gradients()


def in_parts(parts, strategy, size):
    layer, variables, head = parts
    passes = WholeBatch(lambda each: layer(each, training=False), variables, strategy, size)
    rounds = passes.rounds(IMAGES)
    features = passes.features(rounds, COUNT)
    loss, of_head, slopes = head_and_slopes(
        lambda each: _loss(head, each), head.trainable_variables, features
    )
    return loss, passes.gradients(rounds, slopes), of_head


def difference(got, wanted):
    return max(
        float(tf.reduce_max(tf.abs(ours - theirs)) / tf.reduce_max(tf.abs(theirs)))
        for ours, theirs in zip(got, wanted, strict=True)
    )


@pytest.mark.parametrize("size", [1, 4, 11, 16])
def test_any_device_batch_gives_the_whole_batchs_gradients(parts, whole, size):
    loss, of_top, of_head = in_parts(parts, tf.distribute.get_strategy(), size)
    wanted_loss, wanted_top, wanted_head = whole
    assert float(loss) == pytest.approx(float(wanted_loss), abs=1e-6)
    assert difference(of_top, wanted_top) < CLOSE
    assert difference(of_head, wanted_head) < CLOSE


@pytest.mark.parametrize(
    ("batch_size", "limit", "devices", "size"),
    [(256, 32, 1, 32), (256, 32, 4, 32), (10, 32, 4, 3), (4, 32, 4, 1), (256, 300, 1, 256)],
)
def test_a_device_takes_its_share_of_a_batch_and_not_more_than_it_can(
    batch_size, limit, devices, size
):
    assert device_batch(batch_size, limit, devices) == size


def test_the_mean_of_the_parts_gradients_is_another_gradient(parts, whole):
    _, wanted, _ = whole
    slices = [slice(start, start + 4) for start in range(0, COUNT, 4)]
    each = [one_tape(parts, IMAGES[part], TRUTH[part])[1] for part in slices]
    averaged = [tf.add_n(list(gradients)) / len(slices) for gradients in zip(*each, strict=True)]
    assert difference(averaged, wanted) > 0.1


def test_one_device_of_a_strategy_does_the_same(parts, whole):
    one_device = tf.distribute.OneDeviceStrategy("CPU:0")
    _, of_top, _ = in_parts(parts, one_device, 4)
    assert difference(of_top, whole[1]) < CLOSE
