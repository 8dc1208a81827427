"""Features on disk, by the content of the image they are of.

A store is a folder for one extractor and one way of reading pixels. It holds parts, folders of some
thousand rows that appear by one rename and never change, so any number of processes may add to a
store at once: the worst that comes of it is a row that is there twice. A store, or any part of it,
may be removed whenever no run uses it: what is missing is computed again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import time
import uuid
from pathlib import Path

import numpy as np

from components.errors import PostersError
from components.files import publish, scratch_folder
from components.progress import CONSOLE

#: NumPy's type of a key: a digest of 16 bytes.
DIGEST = np.dtype("S16")
#: Rows from which on a part is published.
PART_ROWS = 2048
#: A part is published at this age even if it is not full: what a killed run loses at most.
PART_SECONDS = 60.0
#: Age from which on a scratch file is a killed run's: writing one takes seconds.
_LEFTOVER_SECONDS = 24 * 3600.0
_PART_PREFIX = "part-"
#: A part's files: keys and rows one after the other, and nothing else. Their sizes must fit.
_DIGESTS, _FEATURES = "digests", "features.f32"


class FeatureStore:
    """The rows of a store as they were when it was opened; `PartWriter` adds more.

    Only the keys are kept in memory. A part that cannot be read as rows of the wanted width is set
    aside with a warning, and its rows count as missing.
    """

    def __init__(self, folder: Path, width: int) -> None:
        """Reads the keys.

        Args:
          folder: the store; made if absent.
          width: features a row.
        """
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        self.folder, self.width = folder, width
        self._parts: list[Path] = []
        keys, places = [np.empty(0, DIGEST)], [np.empty((0, 2), np.int64)]
        for part in sorted(folder.glob(f"{_PART_PREFIX}*")):
            digests = _read_keys(part, width)
            if digests is not None:
                rows = np.arange(len(digests))
                places.append(np.stack([np.full_like(rows, len(self._parts)), rows], axis=1))
                keys.append(digests)
                self._parts.append(part)
        unsorted = np.concatenate(keys)
        order = np.argsort(unsorted, kind="stable")
        self._keys, self._places = unsorted[order], np.concatenate(places)[order]

    def __len__(self) -> int:
        """Rows, those that are there twice counted twice."""
        return len(self._keys)

    def holds(self, digests: np.ndarray) -> np.ndarray:
        """(N,) digests to (N,) bool: whether there is a row of each."""
        found = np.searchsorted(self._keys, digests)
        inside = found < len(self._keys)
        inside[inside] = self._keys[found[inside]] == digests[inside]
        return inside

    def read(self, digests: np.ndarray) -> np.ndarray:
        """(N,) digests, all of them in the store, to (N, width) float32.

        Raises:
          PostersError: one of them is not there.
        """
        if not self.holds(digests).all():
            raise PostersError(
                f"features that were computed are gone from {self.folder}: does another process "
                "clean up there? Run again."
            )
        places = self._places[np.searchsorted(self._keys, digests)]
        rows = np.empty((len(digests), self.width), np.float32)
        # One part is mapped at a time: thousands at once would need as many open files.
        for part in np.unique(places[:, 0]):
            chosen = places[:, 0] == part
            features = np.memmap(self._parts[part] / _FEATURES, "<f4", "r").reshape(-1, self.width)
            rows[chosen] = features[places[chosen, 1]]
        return rows


@dataclasses.dataclass(frozen=True)
class Part:
    """One part of a store, whatever the width of its rows.

    Attributes:
      folder: where it lies.
      digests: (N,) keys.
      width: features a row.
    """

    folder: Path
    digests: np.ndarray
    width: int

    @property
    def row_bytes(self) -> int:
        """What a row takes on disk, with its key."""
        return DIGEST.itemsize + 4 * self.width

    def features(self) -> np.ndarray:
        """(N, width) float32."""
        return np.fromfile(self.folder / _FEATURES, "<f4").reshape(-1, self.width)


def parts(folder: Path) -> list[Part]:
    """The parts of a store; those that are damaged are passed over."""
    found = []
    for part in sorted(folder.glob(f"{_PART_PREFIX}*")):
        try:
            digests = np.fromfile(part / _DIGESTS, DIGEST)
            width, rest = divmod((part / _FEATURES).stat().st_size, 4 * max(1, len(digests)))
        except OSError:
            continue
        if len(digests) and width and not rest:
            found.append(Part(part, digests, width))
    return found


def remove_part(part: Part) -> None:
    """Removes a part; whoever looks meanwhile sees it whole or not at all."""
    gone = part.folder.with_name(f".removed-{part.folder.name}")
    part.folder.rename(gone)
    shutil.rmtree(gone)


class PartWriter:
    """Collects rows and publishes them as parts; the caller ends with `publish`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digests: list[np.ndarray] = []
        self._features: list[np.ndarray] = []
        self._began = time.monotonic()

    def add(self, digests: np.ndarray, features: np.ndarray) -> None:
        """Takes rows in: (N,) keys, (N, width) float32."""
        self._digests.append(digests)
        self._features.append(features)
        old = time.monotonic() - self._began > PART_SECONDS
        if old or sum(map(len, self._digests)) >= PART_ROWS:
            self.publish()

    def publish(self) -> None:
        """Makes a part of what was collected, if anything was."""
        if self._digests:
            part = self._folder / f"{_PART_PREFIX}{uuid.uuid4().hex}"
            with scratch_folder(part) as scratch:
                _save(scratch / _DIGESTS, np.concatenate(self._digests).astype(DIGEST))
                _save(scratch / _FEATURES, np.concatenate(self._features).astype("<f4"))
                publish(scratch, part)
        self._digests, self._features = [], []
        self._began = time.monotonic()


def sweep(folder: Path) -> None:
    """Removes the scratch files and folders that killed runs left in a folder a day ago or earlier.

    Their names begin with a dot, as `components.files` names them.
    """
    for path in folder.glob(".*"):
        with contextlib.suppress(OSError):  # another process removes it, or only its owner may
            if time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def set_aside(path: Path, reason: str) -> None:
    """Renames a damaged file or folder, so that nothing reads it again, and says so."""
    aside = path.with_name(f".damaged-{path.name}-{uuid.uuid4().hex[:8]}")
    try:
        path.rename(aside)
        os.utime(aside)  # from now on it has a day for someone to look at it
    except FileNotFoundError:
        return  # another process was faster
    CONSOLE.print(
        f"    warning: {path} is damaged ({reason}); what it held is computed again. Check the "
        f"disk; it is kept a day as {aside.name}",
        markup=False,
    )


def _read_keys(part: Path, width: int) -> np.ndarray | None:
    """The digests of a part, or None after setting it aside."""
    try:
        keys = (part / _DIGESTS).read_bytes()
        size = (part / _FEATURES).stat().st_size
    except OSError as error:
        set_aside(part, error.strerror or type(error).__name__)
        return None
    rows, rest = divmod(len(keys), DIGEST.itemsize)
    if rest or not rows or size != 4 * rows * width:
        set_aside(part, f"{len(keys)} bytes of digests, {size} of features, {4 * width} a row")
        return None
    return np.frombuffer(keys, DIGEST)


def _save(path: Path, array: np.ndarray) -> None:
    with path.open("wb") as file:
        file.write(array.tobytes())
        file.flush()
        os.fsync(file.fileno())  # else a rename can outlive the content when the power fails
