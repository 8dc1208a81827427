"""From a SavedModel's signature `pixels` to a TensorFlow Lite model, and asking one."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import tensorflow as tf

from components.errors import PostersError
from components.trainer import export

#: `float16` stores weights in half the bytes and computes as before; `dynamic_range` stores kernels
#: as 8-bit integers, a quarter of the bytes, and computes with them where that is quicker.
Quantization = Literal["float16", "dynamic_range"]
QUANTIZATIONS: tuple[Quantization, ...] = get_args(Quantization)


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
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantization == "float16":
        converter.target_spec.supported_types = [tf.float16]
    try:
        return converter.convert()
    except Exception as error:  # the converter raises what it likes
        reason = str(error).strip().partition("\n")[0]
        raise PostersError(
            f"{folder} cannot be converted to TensorFlow Lite: {reason:.300}"
        ) from error


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
