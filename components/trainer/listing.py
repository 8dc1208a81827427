"""What a split lists: ids, labels, and digests of its images.

It is read from the examples once and kept file by file, so that a run that changes only the
training does not even parse them, and one with a new span those of the new span alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from components.files import file_digest
from components.paths import to_path
from components.trainer import kept_arrays
from components.trainer.examples import Examples
from components.trainer.feature_store import DIGEST

#: Grows when what a listing holds changes.
_FORMAT = 2
#: Of a file without examples.
_EMPTY = {
    "ids": np.empty(0, bytes),
    "labels": np.empty((0, 0), np.float32),
    "digests": np.empty((0, 0), DIGEST),
}


@dataclasses.dataclass(frozen=True)
class Listing:
    """A split, row for row in the order of `files`.

    Attributes:
      files: the split's files in an order that follows from their content, not from their names.
      ids: (N,) bytes.
      labels: (N, L) float32 multi-hot.
      digests: (N, C) of the images, see `Examples.column`.
    """

    files: tuple[str, ...]
    ids: np.ndarray
    labels: np.ndarray
    digests: np.ndarray


def read(folder: Path, examples: Examples) -> Listing:
    """The listing of a split: of each file what is kept of it, or else what its examples say.

    Args:
      folder: holds a file for each of the split's that is not empty; made if absent.
      examples: the split.
    """
    content = sorted((file_digest(to_path(file)), file) for file in examples.files)
    words = [str(_FORMAT), *examples.words()]
    parts = [_of_file(folder, file, [*words, key], examples) for key, file in content]
    parts = [part for part in parts if len(part["ids"])] or [_EMPTY]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in _EMPTY}
    return Listing(tuple(file for _, file in content), **joined)


def _of_file(
    folder: Path, file: str, words: Sequence[str], examples: Examples
) -> dict[str, np.ndarray]:
    path = folder / hashlib.sha256("\0".join(words).encode()).hexdigest()[:32]
    kept = kept_arrays.load(path)
    if kept is None:
        kept = _parse(file, examples)
        if len(kept["ids"]):
            kept_arrays.save(path, kept)
    return kept


def _parse(file: str, examples: Examples) -> dict[str, np.ndarray]:
    ids, labels, digests = [], [], []
    for images, batch_labels, batch_ids in examples.rows([file]).prefetch(2).as_numpy_iterator():
        ids.append(batch_ids[:, 0].astype(bytes))
        labels.append(batch_labels)
        content = [hashlib.blake2b(image, digest_size=16).digest() for image in images.flat]
        digests.append(np.array(content, DIGEST).reshape(images.shape))
    if not ids:
        return _EMPTY
    return {
        "ids": np.concatenate(ids),
        "labels": np.concatenate(labels),
        "digests": np.concatenate(digests),
    }
