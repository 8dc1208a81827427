"""Which version serves: the highest in the folder of pushed models, as model servers take it."""

from __future__ import annotations

from collections.abc import Iterator

from components.paths import to_path
from components.store_path import StorePath


def version(models_folder: str) -> str | None:
    """The version that serves, or None if nothing was pushed.

    Args:
      models_folder: a folder, or its address on a store.
    """
    return max(_versions(models_folder), key=int, default=None)


def _versions(models_folder: str) -> Iterator[str]:
    folder = to_path(models_folder)
    if isinstance(folder, StorePath):
        entries = folder.folders("")
    else:
        entries = folder.iterdir() if folder.is_dir() else ()
    yield from (entry.name for entry in entries if entry.name.isdigit())
