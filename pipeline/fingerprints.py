"""What a node depends on besides its inputs: code and files that TFX does not look at.

TFX runs a node again when its inputs or properties change. It does not see a changed module named
by a dotted path, nor a schema or extractor changed under the same path.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.resources
from pathlib import Path

from components.files import file_digest
from components.paths import AnyPath


def code(*packages: str) -> str:
    """Digest of the Python source of packages and modules, and of TensorFlow's version.

    Args:
      packages: dotted names, `components.trainer` or `components.pixels`.
    """
    digest = hashlib.sha256(importlib.metadata.version("tensorflow").encode())
    for name in packages:
        top, *rest = name.split(".")
        path = Path(str(importlib.resources.files(top))).joinpath(*rest)
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
        for file in files:
            digest.update(file_digest(file).encode())
    return digest.hexdigest()[:16]


def by_content(file: Path, folder: AnyPath) -> AnyPath:
    """The path of a copy of a file, in a folder, that changes with the file's content."""
    return folder / file_digest(file)[:16] / file.name
