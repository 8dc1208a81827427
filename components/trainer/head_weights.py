"""The head's weights beside the exported model, to be read back without TensorFlow."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from components.trainer.head import Head

#: Beside a SavedModel, where TensorFlow Serving looks for nothing.
FILE = "assets.extra/head.npz"


def name_variables(head: Head) -> dict[str, tf.Variable]:
    """Every variable of a head by its name in the file.

    `mean` and `deviation` (D,) standardise the features; `network_<m>/kernel_<i>` and
    `network_<m>/bias_<i>` are layer i of member m, the last one giving the logits.
    """
    named = {"mean": head.mean, "deviation": head.deviation}
    for member, network in enumerate(head.networks):
        for layer, (kernel, bias) in enumerate(zip(network.kernels, network.biases, strict=True)):
            named[f"network_{member}/kernel_{layer}"] = kernel
            named[f"network_{member}/bias_{layer}"] = bias
    return named


def write(head: Head, folder: str) -> None:
    """Writes a head's weights into the folder of its SavedModel."""
    packed = io.BytesIO()
    np.savez(packed, **{name: value.numpy() for name, value in name_variables(head).items()})
    path = f"{folder}/{FILE}"
    tf.io.gfile.makedirs(path.rsplit("/", 1)[0])
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(packed.getvalue())


def read(folder: str) -> Mapping[str, np.ndarray]:
    """The arrays that `write` wrote, by name.

    Raises:
      ValueError: there is no such file, or it is damaged; the message says which.
    """
    path = f"{folder}/{FILE}"
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            packed = io.BytesIO(file.read())
        with np.load(packed, allow_pickle=False) as arrays:
            return dict(arrays)
    except tf.errors.NotFoundError as error:
        raise ValueError(f"there is no {path}") from error
    except (tf.errors.OpError, OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is damaged ({error})") from error
