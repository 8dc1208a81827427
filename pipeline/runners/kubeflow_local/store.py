"""What is remembered between runs: every artifact made, and which task made it from what.

It stands for the service's metadata. One SQLite file; a task is recorded when it is done, in one
transaction, so that what was cut off was never there.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from components.errors import PostersError
from pipeline.runners.kubeflow_local.artifacts import Values, plain, to_value

#: Grows when the tables change.
_FORMAT = 1
_TABLES = """
CREATE TABLE artifacts (name TEXT PRIMARY KEY, content TEXT NOT NULL, execution INTEGER NOT NULL);
CREATE TABLE executions (
    id INTEGER PRIMARY KEY, task TEXT NOT NULL, fingerprint TEXT, folder TEXT, outputs TEXT NOT NULL
);
CREATE INDEX executions_by_fingerprint ON executions (fingerprint);
"""


class Store:
    """Artifacts and executions of one pipeline, oldest first.

    An execution whose folder someone removed counts for nothing, nor do its artifacts.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def record(
        self, task: str, outputs: Values, fingerprint: str | None = None, folder: Path | None = None
    ) -> None:
        """Writes down what a task made.

        Args:
          task: its name.
          outputs: what it made, or found; artifacts already known stay as they are.
          fingerprint: see `cache.fingerprint`; None for what is not cached.
          folder: what it wrote lies below it; None if it wrote nothing.
        """
        content = {
            "artifacts": outputs.names(),
            "parameters": {key: plain(value) for key, value in outputs.parameters.items()},
        }
        with self._connection:
            row = (task, fingerprint, folder and str(folder), json.dumps(content))
            execution = self._connection.execute(
                "INSERT INTO executions (task, fingerprint, folder, outputs) VALUES (?, ?, ?, ?)",
                row,
            ).lastrowid
            self._connection.executemany(
                "INSERT OR IGNORE INTO artifacts (name, content, execution) VALUES (?, ?, ?)",
                [
                    (artifact.name, json_format.MessageToJson(artifact, indent=None), execution)
                    for artifacts in outputs.artifacts.values()
                    for artifact in artifacts
                ],
            )

    def cached(self, fingerprint: str) -> Values | None:
        """What the last execution with a fingerprint made, or None if there was none."""
        return self._last("fingerprint", fingerprint)

    def last_of(self, task: str) -> Values | None:
        """What a task made or found the time before, or None if there was none."""
        return self._last("task", task)

    def latest(
        self, wanted: Callable[[spec_pb2.RuntimeArtifact], bool], limit: int = 1
    ) -> list[spec_pb2.RuntimeArtifact]:
        """The artifacts that are wanted, the newest first, at most `limit`."""
        found: list[spec_pb2.RuntimeArtifact] = []
        rows = self._connection.execute(
            "SELECT content, folder FROM artifacts JOIN executions ON execution = executions.id "
            "ORDER BY artifacts.rowid DESC"
        )
        for content, folder in rows:
            artifact = json_format.Parse(content, spec_pb2.RuntimeArtifact())
            if len(found) < limit and _is_there(folder) and wanted(artifact):
                found.append(artifact)
        return found

    def knows(self, folder: Path) -> bool:
        """Whether an execution that was recorded wrote below that folder, of a task and a run.

        It does where the workspace has been moved since, too.
        """
        end = "/" + "/".join(folder.parts[-2:])
        rows = self._connection.execute(
            "SELECT 1 FROM executions WHERE substr(folder, -length(?1)) = ?1", (end,)
        )
        return rows.fetchone() is not None

    def _last(self, column: str, value: str) -> Values | None:
        rows = self._connection.execute(
            f"SELECT outputs, folder FROM executions WHERE {column} = ? ORDER BY id DESC", (value,)
        )
        for outputs, folder in rows:
            if _is_there(folder):
                return self._values(json.loads(outputs))
        return None

    def _values(self, content: dict) -> Values:
        return Values(
            artifacts={
                key: [self._artifact(name) for name in names]
                for key, names in content["artifacts"].items()
            },
            parameters={key: to_value(value) for key, value in content["parameters"].items()},
        )

    def _artifact(self, name: str) -> spec_pb2.RuntimeArtifact:
        (content,) = self._connection.execute(
            "SELECT content FROM artifacts WHERE name = ?", (name,)
        ).fetchone()
        return json_format.Parse(content, spec_pb2.RuntimeArtifact())


@contextlib.contextmanager
def open_store(path: Path) -> Iterator[Store]:
    """Opens the store at `path`, and makes it if there is none.

    Raises:
      PostersError: the file is something else, or of another version.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            (found,) = connection.execute("PRAGMA user_version").fetchone()
            if not found:
                connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version={_FORMAT}; COMMIT;")
        except sqlite3.DatabaseError as error:
            raise PostersError(
                f"{path} is no store of earlier runs ({error}). Remove it, and {path.parent} with "
                "it: then everything runs anew."
            ) from error
        if found not in (0, _FORMAT):
            raise PostersError(
                f"{path} is of version {found} of this store, not {_FORMAT}. Remove {path.parent}: "
                "then everything runs anew."
            )
        yield Store(connection)


def _is_there(folder: str | None) -> bool:
    return folder is None or Path(folder).is_dir()
