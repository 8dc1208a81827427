"""What a node depends on besides its inputs: code and files that TFX does not look at.

TFX runs a node again when its inputs or properties change. It does not see a changed module named
by a dotted path, nor a schema or extractor changed under the same path.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.resources
from pathlib import Path

from components.files import file_digest, write_bytes

_SOURCES = {".py", ".html", ".css", ".md"}


def code(*packages: str) -> str:
    """Digest of the source of packages and modules, and of TensorFlow's version.

    A package's source is its Python files and the templates below it.

    Args:
      packages: dotted names, `components.trainer` or `components.pixels`.
    """
    digest = hashlib.sha256(importlib.metadata.version("tensorflow").encode())
    for name in packages:
        top, *rest = name.split(".")
        path = Path(str(importlib.resources.files(top))).joinpath(*rest)
        below = (file for file in path.rglob("*") if file.suffix in _SOURCES)
        files = sorted(below) if path.is_dir() else [path.with_suffix(".py")]
        for file in files:
            digest.update(file_digest(file).encode())
    return digest.hexdigest()[:16]


def by_content(file: Path, folder: Path) -> Path:
    """Copies a file to a path that changes with its content, and returns that path."""
    copy = folder / file_digest(file)[:16] / file.name
    if not copy.exists():
        write_bytes(copy, file.read_bytes())
    return copy
