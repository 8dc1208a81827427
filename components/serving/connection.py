"""Connections that do not wait for ever: uvicorn's own, with limits on what a client may take."""

from __future__ import annotations

import asyncio
import json

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


def impatient_protocol(header_seconds: float, max_connections: int) -> type[ImpatientProtocol]:
    """Uvicorn's protocol class, which it makes a connection of by itself, with these limits."""
    limits = {"header_seconds": header_seconds, "max_connections": max_connections}
    return type("LimitedProtocol", (ImpatientProtocol,), limits)


class ImpatientProtocol(H11Protocol):
    """Closes a connection whose headers do not come; says in JSON what is no HTTP.

    Attributes:
      header_seconds: how long a client may take from connecting to the end of its headers, and for
        the rest of a body that nobody reads, because the answer was given without it.
      max_connections: open at once.
    """

    header_seconds: float = 10
    max_connections: int = 800

    def connection_made(self, transport: asyncio.Transport) -> None:
        """See the base class."""
        super().connection_made(transport)
        self._headers_due = self.loop.call_later(self.header_seconds, self._give_up)
        self._rest_due: asyncio.TimerHandle | None = None
        if len(self.connections) > self.max_connections:
            self._refuse(503, f"{self.max_connections} connections are open; try again later")

    def data_received(self, data: bytes) -> None:
        """See the base class."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._headers_due.cancel()
        elif self._headers_due.cancelled():
            self._headers_due = self.loop.call_later(self.header_seconds, self._give_up)
        # Of a body that is owed any byte ends uvicorn's own waiting, and this one none.
        if (self.conn.our_state, self.conn.their_state) != (h11.DONE, h11.SEND_BODY):
            self._expect_no_rest()
        elif self._rest_due is None:
            self._rest_due = self.loop.call_later(self.header_seconds, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """See the base class."""
        self._headers_due.cancel()
        self._expect_no_rest()
        super().connection_lost(exc)

    def _expect_no_rest(self) -> None:
        if self._rest_due is not None:
            self._rest_due.cancel()
            self._rest_due = None

    def send_400_response(self, msg: str) -> None:
        """Answers what h11 does not understand, headers without end among it."""
        self._refuse(400, msg)

    def _refuse(self, status: int, sentence: str) -> None:
        self._headers_due.cancel()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = json.dumps({"error": sentence}).encode()
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ]
            for event in (
                h11.Response(status_code=status, headers=headers),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event))
        self.transport.close()

    def _give_up(self) -> None:
        if not self.transport.is_closing() and self.conn.their_state is h11.IDLE:
            self._refuse(408, f"no whole request within {self.header_seconds:g} seconds")
