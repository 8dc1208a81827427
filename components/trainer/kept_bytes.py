"""Files that a later run would make again: whole, or known to be damaged."""

from __future__ import annotations

import hashlib
from pathlib import Path

from components.files import write_bytes
from components.trainer.feature_store import set_aside, sweep

#: Of the SHA-256 that a file begins with.
_DIGEST_BYTES = 32


def load(path: Path) -> bytes | None:
    """What was kept, or None if nothing was or it is damaged."""
    try:
        stored = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, content = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        set_aside(path, "its content is not what was written")
        return None
    return content


def save(path: Path, content: bytes) -> None:
    """Keeps it, and clears what killed runs left beside it."""
    write_bytes(path, hashlib.sha256(content).digest() + content)
    sweep(path.parent)
