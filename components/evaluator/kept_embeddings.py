"""Embeddings that extractors gave to images, kept from run to run.

A folder holds those of one extractor: parts that appear whole under names of their own and never
change, so any number of workers may add some at once. Any of it may be removed at any time: what is
not there, or damaged, is asked for again.
"""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Iterable, Sequence

import numpy as np

from components import paths
from components.files import write_bytes

#: Below the folder of answers.
FOLDER = "embeddings"
_PREFIX = "part-"
#: A part's content: a checksum, the digests one after the other, and then the embeddings.
_DIGEST_BYTES = hashlib.sha256().digest_size
_ROWS = np.dtype("<f4")


def folder_of(answers_folder: str, fingerprint: str) -> str:
    """Where the embeddings of the extractor with that fingerprint are kept."""
    return paths.join(paths.join(answers_folder, FOLDER), fingerprint)


def digest(image: bytes) -> bytes:
    """What an encoded image is known by."""
    return hashlib.sha256(image).digest()


class KeptEmbeddings:
    """What was kept in a folder when it was opened, and what is added to it since."""

    def __init__(self, folder: str, width: int) -> None:
        """Reads all parts.

        Args:
          folder: from `folder_of`; it need not be there.
          width: D. Whatever has another one is passed over.
        """
        self._folder, self._width = folder, width
        self._rows: dict[bytes, np.ndarray] = {}
        self._added: list[bytes] = []
        for name in _part_names(folder):
            self._rows.update(_read(paths.join(folder, name), width))

    def find(self, digests: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """N digests to embeddings (N, D), NaN where there is none, and which there are (N,)."""
        known = np.array([digest in self._rows for digest in digests], bool)
        found = np.full((len(digests), self._width), np.nan, np.float32)
        for row in np.flatnonzero(known):
            found[row] = self._rows[digests[row]]
        return found, known

    def add(self, digests: Sequence[bytes], embeddings: np.ndarray) -> None:
        """Takes in N digests and their embeddings (N, D), but for those that are not numbers."""
        for known_by, row in zip(digests, embeddings, strict=True):
            if known_by not in self._rows and np.isfinite(row).all():
                self._rows[known_by] = row
                self._added.append(known_by)

    def publish(self) -> None:
        """Writes what was added since the last time as one part, if anything was.

        Raises:
          OSError: it cannot be written.
        """
        if not self._added:
            return
        rows = np.stack([self._rows[known_by] for known_by in self._added])
        content = b"".join(self._added) + rows.astype(_ROWS).tobytes()
        path = paths.join(self._folder, f"{_PREFIX}{uuid.uuid4().hex}")
        write_bytes(paths.to_path(path), _checksum(content, self._width) + content)
        self._added = []

    def discard(self) -> None:
        """Removes the folder as far as that is possible, and forgets all of it."""
        self._rows, self._added = {}, []
        with contextlib.suppress(OSError):  # another worker does so too
            paths.remove_tree(paths.to_path(self._folder))


def _part_names(folder: str) -> list[str]:
    try:
        return sorted(
            entry.name for entry in paths.list_folder(folder) if entry.name.startswith(_PREFIX)
        )
    except OSError:
        return []


def _read(path: str, width: int) -> Iterable[tuple[bytes, np.ndarray]]:
    """Digests and embeddings of a part; none if it is damaged or of another kind."""
    try:
        with paths.open_file(path) as file:
            checksum, content = file.read(_DIGEST_BYTES), file.read()
    except OSError:
        return ()
    count, rest = divmod(len(content), _DIGEST_BYTES + _ROWS.itemsize * width)
    if rest or checksum != _checksum(content, width):
        return ()
    digests = np.frombuffer(content, np.uint8, count * _DIGEST_BYTES)
    embeddings = np.frombuffer(content, _ROWS, offset=count * _DIGEST_BYTES)
    return zip(
        map(bytes, digests.reshape(count, _DIGEST_BYTES)),
        embeddings.reshape(count, width),
        strict=True,
    )


def _checksum(content: bytes, width: int) -> bytes:
    return hashlib.sha256(b"%d %b" % (width, content)).digest()
