"""Whether ML Metadata's SQLite file can be written: itself it tries for 20 s and names no file."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from components.errors import PostersError

_PATIENCE_SECONDS = 10.0


def check(path: Path) -> None:
    """Makes sure that a run can write ML Metadata.

    Args:
      path: its file; made by the run if it is not there.

    Raises:
      PostersError: another program keeps it locked, or it is damaged.
    """
    if not path.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=_PATIENCE_SECONDS)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            database.rollback()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise PostersError(f"{path} cannot be opened ({error}).") from error
        raise PostersError(
            f"{path} is locked: another program has it open to write, though no run is under way. "
            f"Close that (`fuser {path}` names its process) and run again; nothing was changed."
        ) from error
    except sqlite3.DatabaseError as error:
        raise PostersError(
            f"{path} is damaged ({error}). Put back a copy of it, or move it away: then the next "
            "run computes everything anew. What is in models/ serves on."
        ) from error
