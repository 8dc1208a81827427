"""A connection of our own to a server of ML Metadata: to say what is wrong, and to lock.

ML Metadata's own client tells a refused password from a server that is down only in its log.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from components.errors import PostersError
from pipeline.runners.guard import RunUnderWayError

if TYPE_CHECKING:
    from pipeline.metadata_store.place import ServerPlace

_SECONDS_TO_CONNECT = 15
#: What this process holds already, and which of its threads.
_held: dict[ServerPlace, int] = {}
#: The longest that MySQL lets a connection be silent: runs train for days.
_SILENCE_SECONDS = 31_536_000
#: Error numbers of MySQL, and SQLSTATEs of PostgreSQL, by what they are about.
_REFUSED = {1045, 1698, "28P01", "28000"}
_NO_DATABASE = {1049, "3D000"}
_FORBIDDEN = {1044, "42501"}


@contextlib.contextmanager
def connect(place: ServerPlace) -> Iterator[Any]:
    """Yields a connection (DB-API) to the database, closed afterwards.

    Raises:
      PostersError: with what is wrong and what to do.
    """
    connection = _connect(place)
    try:
        yield connection
    finally:
        # A server that went away closed it already.
        with contextlib.suppress(Exception):
            connection.close()


@contextlib.contextmanager
def only_run(place: ServerPlace) -> Iterator[None]:
    """Lets one run of a pipeline at a time into a database, whichever machine it is on.

    The lock is the server's and belongs to the connection: it ends with this process. Within the
    block it may be asked for again, as `guard.only_run` may.

    Raises:
      RunUnderWayError: another run of this pipeline is under way.
      PostersError: the server cannot be asked.
    """
    if _held.get(place) == threading.get_ident():
        yield
        return
    with connect(place) as connection:
        cursor = connection.cursor()
        digest = hashlib.sha256(f"{place.settings.database}\0{place.pipeline}".encode()).digest()
        if place.settings.kind == "mysql":
            cursor.execute(f"SET SESSION wait_timeout = {_SILENCE_SECONDS}")
            cursor.execute("SELECT GET_LOCK(%s, 0)", (f"posters-{digest.hex()[:48]}",))
        else:
            with contextlib.suppress(Exception):  # before PostgreSQL 14 there was no such limit
                cursor.execute("SET idle_session_timeout = 0")
            number = int.from_bytes(digest[:8], "big", signed=True)
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (number,))
        if not cursor.fetchone()[0]:
            raise RunUnderWayError(
                f"another run of the pipeline {place.pipeline} is using {place}, from this machine "
                "or another: wait for it, or give this pipeline another name (--set name=NAME)."
            )
        _held[place] = threading.get_ident()
        try:
            yield
        finally:
            del _held[place]


def _connect(place: ServerPlace) -> Any:
    given = place.settings
    login = {
        "host": given.host,
        "port": given.server_port,
        "user": given.user,
        "password": place.password(),
        "database": given.database,
    }
    if given.kind == "mysql":
        import pymysql

        try:
            return pymysql.connect(**login, connect_timeout=_SECONDS_TO_CONNECT, autocommit=True)
        except pymysql.MySQLError as error:
            number, *words = error.args
            raise _explain(place, number, str(words[0] if words else error)) from error
    import pg8000

    try:
        connection = pg8000.connect(**login, timeout=_SECONDS_TO_CONNECT)
    except pg8000.DatabaseError as error:
        fields = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        raise _explain(place, fields.get("C"), fields.get("M", str(error))) from error
    except (pg8000.Error, OSError) as error:
        raise _explain(place, None, str(error)) from error
    connection.autocommit = True
    return connection


def _explain(place: ServerPlace, number: int | str | None, words: str) -> PostersError:
    given = place.settings
    if number in _REFUSED:
        where = (
            f"the environment variable {given.password_variable}"
            if given.password_variable
            else "no password was given, see metadata.password_variable"
        )
        return PostersError(
            f"metadata: {given.host}:{given.server_port} does not let {given.user} in ({words}). "
            f"Check metadata.user and the password ({where})."
        )
    if number in _NO_DATABASE:
        return PostersError(
            f"metadata.database: {given.host}:{given.server_port} has no database "
            f"{given.database} ({words}). Have it made by whoever keeps the server (CREATE "
            f"DATABASE {given.database}), with all rights in it for {given.user}, or mend the name."
        )
    if number in _FORBIDDEN:
        return PostersError(
            f"metadata: {given.user} may not use {place} ({words}). Have it granted all rights in "
            "that database, or mend metadata.database."
        )
    return PostersError(
        f"metadata: there is no answer from {given.host}:{given.server_port} ({words}). Check "
        f"metadata.host and metadata.port, and that the {given.kind} server is up and can be "
        "reached from here."
    )
