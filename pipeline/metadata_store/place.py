"""Where ML Metadata lies, how it is opened, and that one run at a time writes to it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from components.errors import PostersError
from pipeline.metadata_config import MetadataConfig
from pipeline.metadata_store import database
from pipeline.runners import guard

if TYPE_CHECKING:
    import ml_metadata as mlmd
    from ml_metadata.proto import metadata_store_pb2
    from tfx.orchestration import metadata

    from pipeline.config import Config

#: In the workspace; beside it lies the lock, whatever kind of store it is.
FILE = "metadata.sqlite"


class Place(Protocol):
    """A store of ML Metadata."""

    def connection(self) -> metadata_store_pb2.ConnectionConfig:
        """How ML Metadata connects to it; it may hold a password."""

    def check(self) -> None:
        """Finds out whether it can be reached; raises `PostersError` if not."""

    def only_run(self) -> contextlib.AbstractContextManager[None]:
        """Lets one run at a time in; raises `PostersError` if another is under way."""


@dataclasses.dataclass(frozen=True)
class FilePlace:
    """A SQLite file, made if absent."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def connection(self) -> metadata_store_pb2.ConnectionConfig:
        """See `Place`."""
        from ml_metadata.proto import metadata_store_pb2

        self.path.parent.mkdir(parents=True, exist_ok=True)
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(self.path)
        config.sqlite.connection_mode = (
            metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        )
        return config

    def check(self) -> None:
        """See `Place`; it must be writable, too."""
        database.check(self.path)

    @contextlib.contextmanager
    def only_run(self) -> Iterator[None]:
        """See `Place`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with guard.only_run(self.path):
            yield


@dataclasses.dataclass(frozen=True)
class ServerPlace:
    """A database on a server, shared by the workspaces of a team.

    Attributes:
      settings: which.
      pipeline: the pipeline's name; others may run at the same time in the same database.
      workspace: of this pipeline on this machine, which one run at a time may use, too.
    """

    settings: MetadataConfig
    pipeline: str
    workspace: Path

    def __str__(self) -> str:
        given = self.settings
        return f"the database {given.database} of {given.host}:{given.server_port}"

    def password(self) -> str:
        """The password, from the environment.

        Raises:
          PostersError: the variable is not set.
        """
        variable = self.settings.password_variable
        if variable is None:
            return ""
        if not os.environ.get(variable):
            raise PostersError(
                f"metadata.password_variable: the environment variable {variable} is not set: put "
                f"the password of {self.settings.user} into it, such as with `read -rs {variable}; "
                f"export {variable}`."
            )
        return os.environ[variable]

    def connection(self) -> metadata_store_pb2.ConnectionConfig:
        """See `Place`."""
        from ml_metadata.proto import metadata_store_pb2

        given = self.settings
        config = metadata_store_pb2.ConnectionConfig()
        if given.kind == "mysql":
            server = config.mysql
            server.database, server.port = given.database, given.server_port
        else:
            server = config.postgresql
            server.dbname, server.port = given.database, str(given.server_port)
        server.host, server.user, server.password = given.host, given.user, self.password()
        # A mistyped name must not become an empty database.
        server.skip_db_creation = True
        return config

    def check(self) -> None:
        """See `Place`."""
        from pipeline.metadata_store import server

        with server.connect(self):
            pass

    @contextlib.contextmanager
    def only_run(self) -> Iterator[None]:
        """See `Place`."""
        from pipeline.metadata_store import server

        self.workspace.mkdir(parents=True, exist_ok=True)
        # What is cached and pushed in the workspace is shared by all of its runs, too.
        with guard.only_run(self.workspace / FILE), server.only_run(self):
            yield


def of(config: Config) -> Place:
    """Where a configuration keeps ML Metadata."""
    workspace = Path(config.workspace)
    if config.metadata.kind == "sqlite":
        return FilePlace(workspace / FILE)
    return ServerPlace(config.metadata, config.name, workspace)


def check_begun(place: Place) -> None:
    """Refuses a file that is not there, for verbs that only look at what runs left.

    Raises:
      PostersError: no run has begun it.
    """
    if isinstance(place, FilePlace) and not place.path.exists():
        raise PostersError(
            f"{place} is not there, so nothing is known of any model: `posters run` begins it; "
            "--config and --set workspace=FOLDER say where it lies."
        )


def handle(place: Place) -> metadata.Metadata:
    """TFX's handle to the store; it is opened at each entry."""
    from tfx.orchestration import metadata

    config = place.connection()
    if config.HasField("postgresql"):
        from pipeline.metadata_store.postgresql import PostgresqlMetadata

        return PostgresqlMetadata(config)
    return metadata.Metadata(config)


def open_store(place: Place) -> mlmd.MetadataStore:
    """Opens the store; an empty database gets its tables.

    Raises:
      PostersError: it cannot be reached, or ML Metadata cannot read it.
    """
    import ml_metadata as mlmd

    place.check()
    config = place.connection()
    try:
        if config.HasField("postgresql"):
            from pipeline.metadata_store.postgresql import PostgresqlStore

            return PostgresqlStore(config)
        return mlmd.MetadataStore(config)
    except (RuntimeError, mlmd.errors.StatusError) as error:
        raise PostersError(
            f"ML Metadata cannot use {place}: {str(error).strip() or 'it says nothing of why'}. "
            "Its user must be allowed to read, write and create tables there, and the tables must "
            "be of the ML Metadata that is installed here, not of a newer or older one."
        ) from error
