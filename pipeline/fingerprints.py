"""What a node depends on besides its inputs: code and files that TFX does not look at.

TFX runs a node again when its inputs or properties change. It does not see a changed module named
by a dotted path, nor a schema or extractor changed under the same path.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.resources
from collections.abc import Collection, Iterator
from pathlib import Path

from components.files import file_digest
from components.paths import AnyPath

_SOURCES = {".py", ".html", ".css", ".md"}
#: Packages and modules that are taken to have changed.
_pretended: set[str] = set()


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
        if any(_overlap(name, other) for other in _pretended):
            digest.update(b"changed")
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def pretending(packages: Collection[str]) -> Iterator[None]:
    """Makes `code` answer as if the source of some packages or modules were another."""
    _pretended.update(packages)
    try:
        yield
    finally:
        _pretended.difference_update(packages)


def source_of(name: str) -> Path | None:
    """The folder of a package, or the file of a module, or None if there is none such."""
    top, *rest = name.split(".")
    try:
        path = Path(str(importlib.resources.files(top))).joinpath(*rest)
    except (ImportError, ValueError, TypeError):
        return None
    found = (path, path.with_suffix(".py"))
    return next((one for one in found if one.exists()), None)


def _overlap(one: str, other: str) -> bool:
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def by_content(file: Path, folder: AnyPath) -> AnyPath:
    """The path of a copy of a file, in a folder, that changes with the file's content."""
    return folder / file_digest(file)[:16] / file.name
