"""Arrays on disk that a later run would make again: one file each, whole or known to be damaged."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from components.files import write_bytes
from components.trainer.feature_store import set_aside, sweep

#: The folder of listings of splits, among those of the stores of features.
LISTINGS = "listings"
#: Of the SHA-256 that a kept listing begins with.
_DIGEST_BYTES = 32


def load(path: Path) -> dict[str, np.ndarray] | None:
    """What was kept, or None if nothing was or it is damaged."""
    try:
        stored = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, content = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        set_aside(path, "its content is not what was written")
        return None
    with np.load(io.BytesIO(content)) as kept:
        return dict(kept)


def save(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Keeps arrays, and clears what killed runs left beside it."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    content = buffer.getvalue()
    write_bytes(path, hashlib.sha256(content).digest() + content)
    sweep(path.parent)
