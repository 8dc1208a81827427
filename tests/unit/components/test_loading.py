import gc
import os
import subprocess
import sys

import pytest

from components import loading

#: What a process that needs Keras later may do.
LATER = """
import sys
from components import loading
with loading.without_keras():
    import tensorflow as tf
assert "keras" not in sys.modules
assert tf.io.decode_image
assert None not in tf.__path__
import tensorflow.keras
from tensorflow.keras.layers import Dense
assert tf.keras.layers.Dense is Dense
import keras
with loading.without_keras():
    assert sys.modules["keras"] is keras
assert sys.modules["keras"] is keras
"""


@pytest.mark.parametrize("legacy", ["0", "1"])  # which Keras TensorFlow means, 3 or 2
def test_keras_is_left_out_and_there_when_it_is_used(legacy):
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": legacy}
    command = [sys.executable, "-c", LATER]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_as_it_was_whatever_happens(enabled):
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with pytest.raises(ImportError), loading.without_collecting():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()


def test_nothing_is_left_of_a_failed_load():
    code = "from components import loading\nimport sys\ntry:\n"
    code += "    with loading.without_keras(): import keras\n"
    code += "except ImportError: pass\nassert 'keras' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
