import tensorflow as tf

from components.trainer.fine_tuning.forward_order import forward_order

SPEC = tf.TensorSpec((None, 2), tf.float32)


class _Layers(tf.Module):
    """Layers that are listed as their names sort: 0, 1, 10, 11, 2, ..."""

    def __init__(self, count=12):
        super().__init__()
        self.layers = [tf.Variable(tf.eye(2), name=f"layer_{index}") for index in range(count)]
        self.unused = tf.Variable(0.0, name="unused")

    @property
    def listed(self):
        return sorted([*self.layers, self.unused], key=lambda variable: variable.name)

    @tf.function(input_signature=[SPEC])
    def __call__(self, images):
        for layer in self.layers:
            images = tf.nn.relu(images @ tf.transpose(tf.identity(layer)))
        return images


def _names(order, variables):
    return [variables[position].name for position in order]


def test_variables_come_in_the_order_that_the_image_meets_them():
    module = _Layers()
    order = forward_order(module, SPEC, module.listed)
    assert _names(order, module.listed) == [f"layer_{index}:0" for index in range(12)]
    assert order != sorted(order)


def test_a_saved_module_has_the_same_order(tmp_path):
    module = _Layers()
    module.variables_of_module = module.listed
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    order = forward_order(loaded, SPEC, loaded.variables_of_module)
    assert _names(order, loaded.variables_of_module) == [f"layer_{index}:0" for index in range(12)]


def test_of_two_branches_the_variable_nearer_to_the_image_is_first():
    late, early = tf.Variable(tf.eye(2)), tf.Variable(tf.eye(2))

    def call(images):
        return tf.nn.relu(tf.nn.relu(tf.nn.relu(images)) @ late) + images @ early

    assert forward_order(call, SPEC, [late, early]) == [1, 0]


def test_a_variable_used_twice_counts_where_it_is_used_first():
    shared, middle = tf.Variable(tf.eye(2)), tf.Variable(tf.eye(2))
    assert forward_order(lambda x: x @ shared @ middle @ shared, SPEC, [middle, shared]) == [1, 0]


def test_a_loop_does_not_stop_the_walk():
    inside, after = tf.Variable(tf.eye(2)), tf.Variable(tf.eye(2))

    def call(images):
        looped = tf.while_loop(
            lambda step, _: step < 3, lambda step, x: (step + 1, x @ inside), (0, images)
        )
        return looped[1] @ after

    assert forward_order(call, SPEC, [after, inside]) == [1, 0]
