"""Kernels stored smaller: what rounding may do, and models that answer as before."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tensorflow.lite.python import schema_py_generated as schema

from components.tflite import storage

_OPERATIONS = {
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
}


@given(
    arrays.arrays(
        "f", arrays.array_shapes(min_dims=2, max_dims=4, max_side=5), elements=st.floats(width=32)
    ).filter(lambda kernel: np.isfinite(kernel).all()),
    st.integers(0, 1),
)
def test_rounding_is_off_by_half_a_scale_at_most(kernel, axis):
    integers, scale = storage.quantize(kernel, axis)
    assert scale.shape == (kernel.shape[axis],) and (scale > 0).all()
    assert integers.min() >= -127
    shape = [-1 if place == axis else 1 for place in range(kernel.ndim)]
    step = scale.astype("f8").reshape(shape)
    apart = np.abs(integers * step - kernel)
    assert (apart <= step * (0.5 + 1e-4)).all()


class _Model(tf.Module):
    """A convolution, a depthwise one and two dense layers, the first kernel used twice."""

    def __init__(self):
        super().__init__()
        draw = np.random.default_rng(0).normal
        # Channels of very different size, evened out again: one scale for all would spoil them.
        sizes = np.logspace(-3, 1, 8)
        self.conv = tf.Variable((draw(0, 0.2, (3, 3, 3, 8)) * sizes).astype("f"))
        self.depthwise = tf.Variable((draw(0, 0.2, (3, 3, 8)) / sizes).astype("f")[..., np.newaxis])
        self.dense = tf.Variable(draw(0, 1, (8, 16)).astype("f"))
        self.last = tf.Variable(draw(0, 1, (16, 4)).astype("f"))

    @tf.function(input_signature=[tf.TensorSpec((None, 12, 12, 3), tf.float32, name="images")])
    def __call__(self, images):
        convolved = tf.nn.conv2d(images, self.conv, 1, "SAME")
        again = tf.nn.conv2d(images[:, ::-1], self.conv, 1, "SAME")
        convolved = tf.nn.relu(convolved) + tf.nn.relu(again)
        features = tf.nn.depthwise_conv2d(convolved, self.depthwise, [1, 1, 1, 1], "SAME")
        hidden = tf.matmul(tf.reduce_mean(features, (1, 2)), self.dense)
        return {"answer": tf.matmul(hidden, self.last)}


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    model = _Model()
    folder = str(tmp_path_factory.mktemp("model"))
    tf.saved_model.save(model, folder, signatures={"ask": model.__call__})
    return tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["ask"]).convert()


def _ask(content, images, kernels=tf.lite.experimental.OpResolverType.AUTO):
    interpreter = tf.lite.Interpreter(
        model_content=content, experimental_op_resolver_type=kernels, num_threads=1
    )
    return interpreter.get_signature_runner("ask")(images=images)["answer"]


@pytest.mark.parametrize(("form", "bytes_a_weight", "tolerance"), [
    ("float16", 2, 5e-3), ("int8", 1, 5e-2),
])  # fmt: skip
def test_every_kernel_is_stored_once_and_answers_stay_near(
    content, form, bytes_a_weight, tolerance
):
    seen = []

    def choose(operation, kernel):
        seen.append((operation, kernel.size))
        return form

    small = storage.shrink(content, choose)
    assert {operation for operation, _ in seen} == _OPERATIONS
    weights = 3 * 3 * 3 * 8 + 3 * 3 * 8 + 8 * 16 + 16 * 4
    assert sum(size for _, size in seen) == weights
    assert len(small) < len(content) - weights * (4 - bytes_a_weight) + 4000
    images = np.random.default_rng(1).random((5, 12, 12, 3), "f")
    expected, got = _ask(content, images), _ask(small, images)
    assert np.abs(got - expected).max() < tolerance * np.abs(expected).max()
    # Without the faster kernels that not every build has.
    plain = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    np.testing.assert_allclose(_ask(small, images, plain), got, rtol=1e-3, atol=1e-5)


def test_what_is_left_as_it_is_answers_the_same(content):
    same = storage.shrink(content, lambda operation, kernel: "float32")
    images = np.random.default_rng(1).random((2, 12, 12, 3), "f")
    np.testing.assert_array_equal(_ask(same, images), _ask(content, images))
