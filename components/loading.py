"""Loading large libraries in less time."""

from __future__ import annotations

import contextlib
import gc
import itertools
import sys
from collections.abc import Iterator
from types import ModuleType

#: Where TensorFlow finds its submodule `keras`, in the order in which it looks.
_KERAS = ("keras.api._v2.keras", "keras._tf_keras.keras")


@contextlib.contextmanager
def without_collecting() -> Iterator[None]:
    """Has the garbage collector wait: loading makes millions of objects, none of them garbage."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextlib.contextmanager
def without_keras() -> Iterator[None]:
    """Has TensorFlow, if it is loaded in this block, leave Keras out.

    It wants of Keras the names of optimizers alone, for SavedModels to be trained on, takes over a
    third of its time to load them, and does without if there is none. Who uses Keras later gets it.
    """
    if "keras" in sys.modules:
        yield
        return
    sys.modules["keras"] = None
    try:
        yield
    finally:
        del sys.modules["keras"]
        _let_find_keras(sys.modules.get("tensorflow"))


def _let_find_keras(tensorflow: ModuleType | None) -> None:
    """Lets `import tensorflow.keras` find what TensorFlow did not find when it was loaded."""
    if tensorflow is None or None not in tensorflow.__path__:
        return
    from tensorflow.python.tools import module_util

    tensorflow.__path__ = [
        module_util.get_parent_dir_for_name(name) if found is None else found
        for found, name in itertools.zip_longest(tensorflow.__path__, _KERAS)
    ]
