"""An extractor made flat gives the features that its module gives, and is used only if it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.trainer import extractor, folding, kept_graphs

SIZE = 24
HUB = Path(__file__).parents[2].parent / "shared" / "data" / "hub"


class _Net:
    """Convolutions and normalisations with weights that are far from 0 and 1."""

    def __init__(self, build):
        self.weights = []
        self._generator = np.random.default_rng(3)
        self._build = build
        self._made = {}

    def __call__(self, images):
        return tf.reduce_mean(self._build(self, images), (1, 2))

    def weight(self, name, *shape, low=-1.0, high=1.0):
        if name not in self._made:
            value = self._generator.uniform(low, high, shape).astype(np.float32)
            self._made[name] = tf.Variable(value)
            self.weights.append(self._made[name])
        return self._made[name]

    def convolve(self, name, x, outputs):
        return tf.nn.conv2d(x, self.weight(name, 3, 3, x.shape[-1], outputs), 2, "SAME")

    def convolve_depthwise(self, name, x, multiplier):
        kernel = self.weight(name, 3, 3, x.shape[-1], multiplier)
        return tf.nn.depthwise_conv2d(x, kernel, (1, 1, 1, 1), "SAME")

    def normalize(self, name, x, is_training=False):
        count = x.shape[-1]
        parameters = [
            self.weight(f"{name}/gamma", count),
            self.weight(f"{name}/beta", count),
            self.weight(f"{name}/mean", count),
            self.weight(f"{name}/variance", count, low=0.01, high=4.0),
        ]
        if is_training:
            parameters[2:] = [tf.zeros(0), tf.zeros(0)]
        normalized, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x, scale=parameters[0], offset=parameters[1], mean=parameters[2],
            variance=parameters[3], epsilon=0.003, is_training=is_training,
        )  # fmt: skip
        return normalized


def _plain(net, x):
    x = tf.nn.relu6(net.normalize("bn", net.convolve("conv", x, 8)))
    return net.normalize("bn2", net.convolve_depthwise("depth", x, 2))


def _with_bias_between(net, x):
    return net.normalize("bn", tf.nn.bias_add(net.convolve("conv", x, 8), net.weight("bias", 8)))


def _read_twice(net, x):
    convolved = net.convolve("conv", x, 8)
    return net.normalize("bn", convolved) + convolved


def _of_the_batch(net, x):
    return net.normalize("bn", net.convolve("conv", x, 8), is_training=True)


def _normalized_first(net, x):
    return tf.nn.relu(net.convolve("conv", net.normalize("bn", x), 8))


def _same_weights_twice(net, x):
    first = net.normalize("bn", net.convolve("conv", x, 3))
    return net.normalize("bn2", net.convolve("conv", first, 3))


def _with_a_loop(net, x):
    x = net.normalize("bn", net.convolve("conv", x, 8))
    return tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, y * 1.5), (0, x))[1]


@pytest.mark.parametrize(
    ("build", "left"),
    [
        (_plain, 0), (_with_bias_between, 1), (_read_twice, 1), (_of_the_batch, 1),
        (_normalized_first, 1), (_same_weights_twice, 0), (_with_a_loop, 0),
    ],
)  # fmt: skip
def test_what_can_be_folded_is_and_the_features_stay_the_same(build, left):
    net = _Net(build)
    images = tf.random.stateless_uniform((5, SIZE, SIZE, 3), (1, 2))
    wanted = net(images).numpy()
    flat = folding.flatten(net, SIZE)
    assert isinstance(flat, folding.FlatExtractor)
    assert flat.width == net(tf.zeros((1, SIZE, SIZE, 3))).shape[1]
    got = flat(images).numpy()
    np.testing.assert_allclose(got, wanted, atol=1e-5 * np.abs(wanted).max())
    operations = [node.op for node in flat.graph.node]
    assert sum(op.startswith("FusedBatchNorm") for op in operations) == left
    assert not {"ReadVariableOp", "PartitionedCall", "StatefulPartitionedCall"} & set(operations)


@pytest.mark.parametrize(
    ("handle", "size"),
    [
        (extractor.EMBEDDED, 96),
        *(
            (str(folder), 224)
            for folder in (HUB.iterdir() if HUB.is_dir() else ())
            if (folder / "saved_model.pb").is_file()
        ),
    ],
)
def test_real_extractors_are_folded_whole(handle, size):
    layer = extractor.load_layer(handle, size)
    flat = folding.flatten(layer, size)
    images = tf.random.stateless_uniform((3, size, size, 3), (4, 4))
    wanted = layer(images).numpy()
    np.testing.assert_allclose(flat(images), wanted, atol=2e-5 * np.abs(wanted).max())
    assert not any(node.op.startswith("FusedBatchNorm") for node in flat.graph.node)


def test_an_extractor_with_a_table_stays_as_it_is():
    keys = tf.lookup.KeyValueTensorInitializer([0], [2.0], tf.int32, tf.float32)
    table = tf.lookup.StaticHashTable(keys, 1.0)
    net = _Net(lambda net, x: net.convolve("conv", x, 4) * table.lookup(tf.constant(0)))
    assert folding.flatten(net, SIZE) is net


def test_one_too_large_for_a_graph_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(folding, "_MAX_WEIGHT_BYTES", 100)
    net = _Net(_plain)
    net(tf.zeros((1, SIZE, SIZE, 3)))
    assert folding.flatten(net, SIZE) is net


def test_a_graph_that_gives_other_features_is_not_used(monkeypatch, caplog):
    other = folding.fold(_Net(_with_bias_between), SIZE)
    monkeypatch.setattr(folding, "fold", lambda *_: other)
    net = _Net(_with_a_loop)
    assert folding.flatten(net, SIZE) is net
    assert "used as is" in caplog.text


def test_what_is_kept_gives_the_same_features_to_the_bit(tmp_path):
    images = tf.random.stateless_uniform((3, 96, 96, 3), (5, 5))
    extractor.forget()
    made = extractor.load(extractor.EMBEDDED, 96, tmp_path)
    extractor.forget()
    read = extractor.load(extractor.EMBEDDED, 96, tmp_path)
    assert read is not made
    np.testing.assert_array_equal(read(images), made(images))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_kept_graph_that_is_damaged_is_made_again(tmp_path):
    extractor.forget()
    made = extractor.load(extractor.EMBEDDED, 96, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-20])
    assert kept_graphs.read(file) is None
    extractor.forget()
    again = extractor.load(extractor.EMBEDDED, 96, tmp_path)
    images = tf.random.stateless_uniform((3, 96, 96, 3), (5, 5))
    np.testing.assert_array_equal(again(images), made(images))
    assert kept_graphs.read(file) == again.graph


def test_other_sizes_and_modules_have_files_of_their_own(tmp_path):
    places = {
        kept_graphs.place(tmp_path, fingerprint, size) for fingerprint in "ab" for size in (96, 224)
    }
    assert len(places) == 4
