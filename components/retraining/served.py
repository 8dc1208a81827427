"""The model that serves: the version with the highest number, and what it says of itself."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any

from components.model_files import DESCRIPTION_FILE, MODEL_FILE
from components.paths import AnyPath
from components.retraining.situation import Served
from components.store_path import StorePath

#: A version is the second of its push; a smaller number is someone's own.
_FIRST_SECOND = 1_000_000_000


def find(models: AnyPath) -> tuple[AnyPath, Mapping[str, Any]] | None:
    """Folder and description of the version that serves, or None.

    Folders that no server would take for a version, and models of another kind, are passed by.

    Raises:
      OSError: the store cannot be asked.
    """
    for folder in sorted(_versions(models), key=lambda path: int(path.name), reverse=True):
        try:
            description = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
            _ = list(description["labels"])
        except (OSError, ValueError, LookupError, TypeError):
            continue
        if (folder / MODEL_FILE).exists():
            return folder, description
    return None


def describe(
    folder: AnyPath, description: Mapping[str, Any], manifests: Mapping[int, str]
) -> Served:
    """What is known of a version.

    Args:
      folder: the version's.
      description: as the Trainer wrote it.
      manifests: of the spans that are there, by number; one that was trained on and has another
        manifest now is not the same span.
    """
    spans = description.get("spans")
    numbers = None
    if spans is not None:
        numbers = tuple(
            int(span["number"])
            for span in spans
            if manifests.get(int(span["number"]), span["manifest"]) == span["manifest"]
        )
    return Served(folder.name, tuple(description["labels"]), numbers, _trained(folder, description))


def _trained(folder: AnyPath, description: Mapping[str, Any]) -> datetime.datetime | None:
    if written := description.get("trained"):
        return datetime.datetime.fromisoformat(written)
    seconds = int(folder.name)
    if seconds < _FIRST_SECOND:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def _versions(models: AnyPath) -> Iterator[AnyPath]:
    if isinstance(models, StorePath):
        folders: Iterator[AnyPath] = models.folders("")
    else:
        folders = models.iterdir() if models.is_dir() else iter(())
    return (path for path in folders if path.name.isdecimal())
