"""Training images beside the exported model, for showing which are nearest to a new one.

Kept are their embeddings, labels, ids and small pictures, of a bounded number of them.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from components import pixels
from components.data_sets import PARALLEL
from components.paths import AnyPath
from components.trainer.examples import Examples
from components.views import Geometry

#: Beside a SavedModel, where TensorFlow Serving looks for nothing.
FILE = "assets.extra/neighbours.npz"
_BATCH_IMAGES = 64


class Neighbour(NamedTuple):
    """One training image.

    Attributes:
      id: its identifier.
      labels: its labels' names.
      similarity: cosine of both embeddings, less the mean of all that are kept; in [-1, 1].
      picture: a small JPEG of it, as the model saw it: pressed or cut into a square.
    """

    id: str
    labels: tuple[str, ...]
    similarity: float
    picture: bytes


def choose(ids: np.ndarray, count: int) -> np.ndarray:
    """Rows of at most `count` examples, drawn by the hash of their ids: the same in every run."""
    keys = [hashlib.blake2b(name, digest_size=8).digest() for name in ids.tolist()]
    return np.sort(np.argsort(np.array(keys), kind="stable")[:count])


def embed(
    stored: Sequence[Sequence[bytes]],
    extractor: Callable[[tf.Tensor], tf.Tensor],
    size: int,
    views: Sequence[str],
) -> np.ndarray:
    """Embeddings of stored images, for an extractor whose features nobody has kept.

    Args:
      stored: of each image what Transform stored, a string a geometry.
      extractor: (N, size, size, 3) float32 -> (N, D) float32.
      size: side in pixels.
      views: whose features are averaged.

    Returns:
      (N, D) float32.
    """
    rows = []
    for start in range(0, len(stored), _BATCH_IMAGES):
        batch = tf.constant([list(row) for row in stored[start : start + _BATCH_IMAGES]])
        seen = [extractor(view).numpy() for view in pixels.to_model_views(batch, size, views)]
        rows.append(np.mean(seen, axis=0))
    return np.concatenate(rows)


def collect(
    examples: Examples,
    files: Sequence[tuple[str, int]],
    rows: np.ndarray,
    size: int,
    geometries: Sequence[Geometry],
) -> list[list[bytes]]:
    """What Transform stores of some examples.

    Args:
      examples: the training split.
      files: its files and how many examples each holds, in the order in which rows are counted.
      rows: (N,) of the wanted ones, ascending.
      size: side in pixels.
      geometries: what is stored of each.

    Returns:
      For each of `rows` a string a geometry.
    """

    @tf.autograph.experimental.do_not_convert
    def stored(images: tf.Tensor) -> tf.Tensor:
        return examples.stored(images, size, geometries)

    wanted = np.zeros(sum(count for _, count in files), bool)
    wanted[rows] = True
    made = examples.images(files, wanted).map(stored, num_parallel_calls=PARALLEL)
    return [row.tolist() for row in made.as_numpy_iterator()]


def write(
    folder: str,
    ids: np.ndarray,
    labels: np.ndarray,
    embeddings: np.ndarray,
    pictures: Sequence[bytes],
) -> None:
    """Writes the file into the folder of a SavedModel.

    Args:
      folder: the SavedModel's.
      ids: (N,) bytes.
      labels: (N, L) multi-hot.
      embeddings: (N, D), as the model's signature `embedding` gives them.
      pictures: of each image, from `pictures`.
    """
    content = io.BytesIO()
    np.savez(
        content,
        ids=ids.astype(bytes),
        labels=labels > 0.5,
        embeddings=embeddings.astype(np.float16),
        pictures=np.frombuffer(b"".join(pictures), np.uint8),
        ends=np.cumsum([len(picture) for picture in pictures], dtype=np.int64),
    )
    path = f"{folder}/{FILE}"
    tf.io.gfile.makedirs(path.rsplit("/", 1)[0])
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(content.getvalue())


class Neighbours:
    """The training images that were kept beside a model."""

    def __init__(self, arrays: dict[str, Any], labels: Sequence[str]) -> None:
        """Takes what `write` wrote and the vocabulary."""
        self.ids = [name.decode(errors="replace") for name in arrays["ids"].tolist()]
        self.truth: np.ndarray = arrays["labels"]
        self.embeddings = arrays["embeddings"].astype(np.float32)
        self._labels = np.array(labels)
        self._pictures = arrays["pictures"].tobytes()
        self._ends = arrays["ends"].tolist()
        self._mean = self.embeddings.mean(axis=0)
        self._directions = _unit(self.embeddings - self._mean)

    def nearest(self, embedding: np.ndarray, count: int) -> list[Neighbour]:
        """The training images nearest to one of that embedding (D,), the nearest first."""
        similarities = self._directions @ _unit(embedding.astype(np.float32) - self._mean)
        return [
            Neighbour(
                self.ids[row],
                tuple(self._labels[self.truth[row]].tolist()),
                float(similarities[row]),
                self._pictures[self._ends[row - 1] if row else 0 : self._ends[row]],
            )
            for row in np.argsort(-similarities, kind="stable")[:count].tolist()
        ]


def read(folder: AnyPath, labels: Sequence[str]) -> Neighbours | None:
    """What was kept beside a model; None if nothing was.

    Args:
      folder: the SavedModel's.
      labels: its vocabulary.

    Raises:
      ValueError: the file is damaged.
    """
    try:
        with (folder / FILE).open("rb") as file:
            content = io.BytesIO(file.read())
    except FileNotFoundError:
        return None
    with np.load(content, allow_pickle=False) as arrays:
        return Neighbours(dict(arrays), labels)


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-12)
