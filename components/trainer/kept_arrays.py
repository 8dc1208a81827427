"""Arrays on disk that a later run would make again."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from components.trainer import kept_bytes

#: The folder of listings of splits, among those of the stores of features.
LISTINGS = "listings"


def load(path: Path) -> dict[str, np.ndarray] | None:
    """What was kept, or None if nothing was or it is damaged."""
    content = kept_bytes.load(path)
    if content is None:
        return None
    with np.load(io.BytesIO(content)) as kept:
        return dict(kept)


def save(path: Path, arrays: Mapping[str, np.ndarray], compress: bool = True) -> None:
    """Keeps arrays, smaller than they are unless they cannot be made so."""
    buffer = io.BytesIO()
    (np.savez_compressed if compress else np.savez)(buffer, **arrays)
    kept_bytes.save(path, buffer.getvalue())
