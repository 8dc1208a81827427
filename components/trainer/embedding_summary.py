"""What the training posters looked like to the extractor, small enough to lie beside the model.

Principal components of a sample of the training split's features, and where another sample, which
had no part in finding them, lies on each. The last column is what the components leave out: the
length of the rest. New posters are put on the same axes later, see
`components.retraining.embedding_drift`.

The reference must be posters that components were not fitted to, or every new poster would lie
further out than they do. With a frozen extractor eval and the rest of train will do; one that was
fine-tuned has seen train, so there it is eval alone.
"""

from __future__ import annotations

import dataclasses
import io
import zipfile

import numpy as np
import tensorflow as tf
from scipy import linalg

#: Beside a SavedModel, where TensorFlow Serving looks for nothing.
FILE = "assets.extra/embeddings.npz"
#: Posters that the components are fitted to, and posters that are the reference.
FITTED, REFERENCE = 1000, 1000
_COMPONENTS = 32
#: What NumPy makes of a file that is not whole.
_DAMAGE = (OSError, TypeError, ValueError, EOFError, zipfile.BadZipFile)


@dataclasses.dataclass(frozen=True)
class EmbeddingSummary:
    """Axes of D-wide features, and a sample on them.

    Attributes:
      mean: (D,) float32.
      components: (K, D) float32, of length one, the widest spread first.
      reference: (N, K + 1) float32, see `project`.
    """

    mean: np.ndarray
    components: np.ndarray
    reference: np.ndarray

    def project(self, features: np.ndarray) -> np.ndarray:
        """Places on the axes, and the length of what they leave out: (N, K + 1) of (N, D)."""
        return _project(features, self.mean, self.components)


def summarize(fitted: np.ndarray, reference: np.ndarray) -> EmbeddingSummary:
    """Finds the axes of some features, and where others lie on them.

    Args:
      fitted: (M, D) features, at least one row.
      reference: (N, D) features of other posters.
    """
    fitted = fitted.astype(np.float64)
    mean = fitted.mean(axis=0)
    mean, components = mean.astype(np.float32), _components(fitted - mean).astype(np.float32)
    return EmbeddingSummary(mean, components, _project(reference, mean, components))


def _components(centred: np.ndarray) -> np.ndarray:
    """The first right singular vectors, (K, D) of (M, D), by the left ones: D may be large."""
    rows = len(centred)
    squares, left = linalg.eigh(
        centred @ centred.T, subset_by_index=(max(rows - _COMPONENTS, 0), rows - 1)
    )
    spread = np.sqrt(np.maximum(squares[::-1], 0))
    # Those without any spread would be noise.
    count = int((spread > 1e-6 * max(spread[0], 1e-12)).sum())
    return left.T[::-1][:count] @ centred / spread[:count, np.newaxis]


def write(summary: EmbeddingSummary, folder: str) -> None:
    """Writes a summary into the folder of its SavedModel."""
    packed = io.BytesIO()
    np.savez(packed, **dataclasses.asdict(summary))
    path = f"{folder}/{FILE}"
    tf.io.gfile.makedirs(path.rsplit("/", 1)[0])
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(packed.getvalue())


def read(folder: str) -> EmbeddingSummary:
    """The summary that `write` wrote.

    Raises:
      ValueError: there is no such file, or it is damaged; the message says which.
    """
    path = f"{folder}/{FILE}"
    try:
        with tf.io.gfile.GFile(path, "rb") as file:
            packed = io.BytesIO(file.read())
        with np.load(packed, allow_pickle=False) as arrays:
            return EmbeddingSummary(**arrays)
    except tf.errors.NotFoundError as error:
        raise ValueError(f"there is no {path}") from error
    except (
        tf.errors.OpError,
        OSError,
        TypeError,
        ValueError,
        EOFError,
        zipfile.BadZipFile,
    ) as error:
        raise ValueError(f"{path} is damaged ({error})") from error


def _project(features: np.ndarray, mean: np.ndarray, components: np.ndarray) -> np.ndarray:
    centred = features.astype(np.float32) - mean
    places = centred @ components.T
    rest = np.linalg.norm(centred - places @ components, axis=1, keepdims=True)
    return np.concatenate([places, rest], axis=1)
