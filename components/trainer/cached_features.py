"""One split as the head sees it: features averaged over the views, labels and ids."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

#: A split's features are held in memory up to this size, and above it in a file that is mapped.
MEMORY_BYTES = 256 << 20
#: Rows gathered at a time: what is in memory at once besides.
_GATHER_ROWS = 2048


@dataclasses.dataclass(frozen=True)
class CachedFeatures:
    """Features, labels and ids of one split, row for row.

    Attributes:
      features: (N, D) float32, the mean over the views; in memory, or mapped from disk.
      labels: (N, L) float32 multi-hot.
      ids: (N,) bytes.
      by_id: (N,) the rows in the order of their ids, which is the same however Beam sharded them.
      digests: (N,) of the images that the first view is made of.
      files: the files that the rows come from, in their order, and how many each has.
    """

    features: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    by_id: np.ndarray
    digests: np.ndarray
    files: tuple[tuple[str, int], ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def width(self) -> int:
        """Features a row."""
        return self.features.shape[1]

    def take(self, rows: np.ndarray | slice) -> np.ndarray:
        """The features of some rows: (n, D) float32."""
        return np.asarray(self.features[rows])

    def chunks(self, rows_per_chunk: int) -> Iterator[np.ndarray]:
        """All features in order, (at most `rows_per_chunk`, D) float32 at a time."""
        for start in range(0, len(self), rows_per_chunk):
            yield self.take(slice(start, start + rows_per_chunk))


def gather(
    shape: tuple[int, int], scratch: Path, read: Callable[[slice], np.ndarray]
) -> np.ndarray:
    """Collects the rows of a matrix, in memory if it fits there.

    Batches drawn at random are then one step of indexing, wherever the rows come from. The file
    that a large matrix goes to has no name: it is gone with the process, however that ends.

    Args:
      shape: rows and columns.
      scratch: the folder whose disk a matrix of more than `MEMORY_BYTES` goes to.
      read: gives the rows of a slice, (n, columns) float32; asked once for each row.
    """
    slices = [slice(start, start + _GATHER_ROWS) for start in range(0, shape[0], _GATHER_ROWS)]
    if 4 * shape[0] * shape[1] <= MEMORY_BYTES:
        matrix = np.empty(shape, np.float32)
        for rows in slices:
            matrix[rows] = read(rows)
        return matrix
    with tempfile.TemporaryFile(dir=scratch) as file:
        for rows in slices:
            read(rows).tofile(file)
        file.flush()
        return np.memmap(file, dtype=np.float32, mode="r", shape=shape)
