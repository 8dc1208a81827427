"""What a split lists: ids, labels, and digests of its images.

It is read from the examples once and kept file by file, so that a run that changes only the
training does not even parse them, and one with a new span those of the new span alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from components.spans import digests as file_digests
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
      files: each of the split's files and how many rows it has, in an order that follows from
        their content, not from their names.
      ids: (N,) bytes.
      labels: (N, L) float32 multi-hot.
      digests: (N, C) of the images, see `Examples.column`.
    """

    files: tuple[tuple[str, int], ...]
    ids: np.ndarray
    labels: np.ndarray
    digests: np.ndarray


def read(folder: Path, splits: Sequence[Examples]) -> list[Listing]:
    """The listings of splits: of each file what is kept of it, or else what its examples say.

    Args:
      folder: holds a file for each of the splits' that is not empty; made if absent.
      splits: examples of one kind: they differ in their files alone.
    """
    contents = [
        sorted((digest, file) for file, digest in file_digests.of(split.files).items())
        for split in splits
    ]
    words = [str(_FORMAT), *splits[0].words()]
    places = {
        file: folder / hashlib.sha256("\0".join([*words, digest]).encode()).hexdigest()[:32]
        for content in contents
        for digest, file in content
    }
    parts = {file: kept_arrays.load(place) for file, place in places.items()}
    unknown = [file for file, part in parts.items() if part is None]
    for file, part in zip(unknown, _parse(unknown, splits[0]), strict=True):
        parts[file] = part
        if len(part["ids"]):
            kept_arrays.save(places[file], part)
    return [_join([(file, parts[file]) for _, file in content]) for content in contents]


def join(listings: Sequence[Listing]) -> Listing:
    """Several splits as if they were one."""
    files = tuple(file for each in listings for file in each.files)
    return Listing(files, **_concatenate([vars(each) for each in listings]))


def _join(parts: Sequence[tuple[str, dict[str, np.ndarray]]]) -> Listing:
    files = tuple((file, len(part["ids"])) for file, part in parts)
    return Listing(files, **_concatenate([part for _, part in parts]))


def _concatenate(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    # What has no rows does not know how wide they would be.
    having = [part for part in parts if len(part["ids"])] or [_EMPTY]
    return {name: np.concatenate([part[name] for part in having]) for name in _EMPTY}


def _parse(files: Sequence[str], examples: Examples) -> list[dict[str, np.ndarray]]:
    """What the examples of each file say, in one pass: making a data set costs more than a file."""
    found: list[dict[str, list[np.ndarray]]] = [{name: [] for name in _EMPTY} for _ in files]
    if files:
        for images, labels, ids, place in examples.rows(files).prefetch(2).as_numpy_iterator():
            content = [hashlib.blake2b(image, digest_size=16).digest() for image in images.flat]
            found[place]["ids"].append(ids[:, 0].astype(bytes))
            found[place]["labels"].append(labels)
            found[place]["digests"].append(np.array(content, DIGEST).reshape(images.shape))
    return [
        {name: np.concatenate(batches) if batches else _EMPTY[name] for name, batches in of.items()}
        for of in found
    ]
