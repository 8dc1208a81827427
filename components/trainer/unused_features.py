"""Features of posters that are in no span any more, and their removal.

Features are kept by an image's content. Which poster an image is of, only the listings tell; of
what is in no listing nothing is known, and it is left alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Set
from pathlib import Path

import numpy as np

from components.errors import PostersError
from components.trainer import kept_arrays
from components.trainer.feature_store import DIGEST, PartWriter, parts, remove_part


@dataclasses.dataclass(frozen=True)
class Unused:
    """What is there for nothing.

    Attributes:
      digests: sorted, of the images.
      listings: files that list no poster of any span.
      rows: features in all stores.
      byte_count: of rows and listings.
    """

    digests: np.ndarray
    listings: tuple[Path, ...]
    rows: int
    byte_count: int


def find(folder: Path, known_ids: Set[bytes]) -> Unused:
    """Looks for features of posters that are not known.

    Args:
      folder: holds the listings and the stores.
      known_ids: of the posters in all spans.
    """
    wanted, others = [np.empty(0, DIGEST)], [np.empty(0, DIGEST)]
    listings = []
    for path in sorted((folder / kept_arrays.LISTINGS).glob("[!.]*")):
        listed = kept_arrays.load(path)
        if listed is None:
            continue
        known = np.array([bytes(identifier) in known_ids for identifier in listed["ids"]], bool)
        wanted.append(listed["digests"][known].ravel())
        others.append(listed["digests"][~known].ravel())
        if not known.any():
            listings.append(path)
    unused = np.setdiff1d(np.concatenate(others), np.concatenate(wanted))
    rows, byte_count = 0, sum(path.stat().st_size for path in listings)
    for store in _stores(folder):
        for part in parts(store):
            count = int(np.isin(part.digests, unused).sum())
            rows += count
            byte_count += count * part.row_bytes
    return Unused(unused, tuple(listings), rows, byte_count)


def remove(folder: Path, unused: Unused) -> None:
    """Removes what `find` found. Cut off half way, it is found and removed the next time.

    Raises:
      PostersError: a store cannot be written to.
    """
    try:
        for store in _stores(folder):
            for part in parts(store):
                gone = np.isin(part.digests, unused.digests)
                if not gone.any():
                    continue
                if not gone.all():
                    # First: a row that is there twice does no harm.
                    writer = PartWriter(store)
                    writer.add(part.digests[~gone], part.features()[~gone])
                    writer.publish()
                remove_part(part)
        # Last: without the listings nobody knows whose the features are.
        for path in unused.listings:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise PostersError(
            f"{error.filename or folder}: {error.strerror}. What is left is removed the next time."
        ) from error


def _stores(folder: Path) -> list[Path]:
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if path.is_dir() and path.name != kept_arrays.LISTINGS)
