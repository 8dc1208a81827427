"""The numbered versions that the Pusher leaves in a folder."""

from __future__ import annotations

from pathlib import Path

from components.errors import PostersError


def is_model(folder: Path) -> bool:
    """Whether a folder holds a SavedModel."""
    return (folder / "saved_model.pb").is_file()


def listed(models: Path) -> list[Path]:
    """The versions in a folder, the highest number first.

    The Pusher names a folder by a number only once it is whole.
    """
    try:
        found = [path for path in models.iterdir() if path.name.isdecimal() and is_model(path)]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda path: int(path.name), reverse=True)


def newest(models: Path) -> Path:
    """The version with the highest number.

    Raises:
      PostersError: there is none.
    """
    for path in listed(models):
        return path
    raise PostersError(
        f"{models} holds no pushed model. `posters run` pushes one when it is blessed."
    )
