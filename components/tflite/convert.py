"""From a SavedModel's signature `pixels` to a TensorFlow Lite model, and asking one."""

from __future__ import annotations

import functools
from typing import Literal, get_args

import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

from components.errors import PostersError
from components.tflite import storage
from components.trainer import export

#: How kernels are stored; both compute with floats. `float16`: in half the bytes. `int8`: those of
#: dense layers, so of the head, in a quarter, and those of convolutions in half.
Quantization = Literal["float16", "int8"]
QUANTIZATIONS: tuple[Quantization, ...] = get_args(Quantization)
#: A convolution that adds up fewer products for an output, a depthwise one say, keeps float32: in a
#: short sum rounding does not average out, and its kernel is a few bytes.
_MANY_PRODUCTS = 65


def convert(folder: str, quantization: Quantization) -> bytes:
    """Converts a pushed model; what it takes is pixels, for Lite has no decoder of images.

    Args:
      folder: the SavedModel's.
      quantization: see `Quantization`.

    Returns:
      A TensorFlow Lite model of one signature, `pixels`: `pixels` (N, G, size, size, 3) uint8 ->
      `scores` and `probabilities` (N, L) float32.

    Raises:
      PostersError: the model has no such signature, or TensorFlow Lite lacks one of its operations.
    """
    model = tf.saved_model.load(folder)
    if export.PIXELS not in model.signatures:
        raise PostersError(
            f"{folder} has no signature `{export.PIXELS}`: it was exported by an earlier version. "
            "Run the pipeline again (`posters run`), and export the model that it pushes."
        )
    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[export.PIXELS])
    try:
        content = converter.convert()
    except Exception as error:  # the converter raises what it likes
        reason = str(error).strip().partition("\n")[0]
        raise PostersError(
            f"{folder} cannot be converted to TensorFlow Lite: {reason:.300}"
        ) from error
    return storage.shrink(content, functools.partial(_form, quantization))


def _form(quantization: Quantization, operation: int, kernel: np.ndarray) -> storage.Form:
    """The form for a kernel; see `storage.shrink`."""
    if operation == schema.BuiltinOperator.FULLY_CONNECTED:
        return quantization
    # Not int8: scores of real posters with MobileNetV2 would be off by up to 0.19.
    products = kernel.size // kernel.shape[storage.CHANNELS[operation]]
    return "float16" if products >= _MANY_PRODUCTS else "float32"


class LiteModel:
    """A TensorFlow Lite model, asked as an application asks it."""

    def __init__(self, content: bytes, threads: int | None = None) -> None:
        """Loads it.

        Args:
          content: what `convert` gives.
          threads: None leaves it to TensorFlow Lite.
        """
        self._interpreter = tf.lite.Interpreter(model_content=content, num_threads=threads)
        self._runner = self._interpreter.get_signature_runner(export.PIXELS)

    def ask(self, squares: np.ndarray) -> dict[str, np.ndarray]:
        """Scores and probabilities, (N, L).

        Args:
          squares: (N, G, size, size, 3) uint8 RGB.
        """
        # One at a time: so an application asks, and nothing has to be allocated anew.
        rows = [self._runner(**{export.PIXELS: square[np.newaxis]}) for square in squares]
        return {key: np.concatenate([row[key] for row in rows]) for key in rows[0]}
