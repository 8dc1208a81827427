"""The numbered versions that the Pusher leaves in a folder."""

from __future__ import annotations

from pathlib import Path

from components.errors import PostersError
from components.paths import AnyPath


def is_model(folder: AnyPath) -> bool:
    """Whether a folder holds a SavedModel."""
    return (folder / "saved_model.pb").exists()


def listed(models: AnyPath) -> list[AnyPath]:
    """The versions in a folder, the highest number first.

    The Pusher names a folder by a number only once it is whole.
    """
    try:
        below = models.iterdir() if isinstance(models, Path) else models.folders("")
        found = [path for path in below if path.name.isdecimal() and is_model(path)]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda path: int(path.name), reverse=True)


def newest(models: AnyPath) -> AnyPath:
    """The version with the highest number.

    Raises:
      PostersError: there is none.
    """
    for path in listed(models):
        return path
    raise PostersError(
        f"{models} holds no pushed model. `posters run` pushes one when it is blessed."
    )
