"""What every request passes first: room for it, the token, and the count of what came of it."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.serving.metrics import Metrics

#: Answered whatever the load and without a token.
_PROBES = ("/healthz", "/readyz")
#: The page needs no token either: it asks for it.
_PAGE = ("/", "/page.js", "/page.css")
#: Carries the token in its body, and is refused there.
_FORM = ("POST", "/report")


class Door:
    """ASGI middleware; refuses in TensorFlow Serving's form."""

    def __init__(
        self, app: ASGIApp, max_requests: int, metrics: Metrics, token: str | None
    ) -> None:
        """Wraps an application.

        Args:
          app: what answers.
          max_requests: requests in progress at once.
          metrics: what to count in.
          token: what clients must send as `Authorization: Bearer <token>`, or None.
        """
        self._app = app
        self._max_requests = max_requests
        self._metrics = metrics
        self._token = token
        self._in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.requests.labels(message["status"]).inc()
            await send(message)

        if refusal := self._refusal(scope):
            await refusal(scope, receive, counted)
            return
        self._in_progress += 1
        try:
            await self._app(scope, receive, counted)
        finally:
            self._in_progress -= 1

    def _refusal(self, scope: Scope) -> Response | None:
        path = scope["path"]
        if path in _PROBES:
            return None
        if self._in_progress >= self._max_requests:
            error = f"{self._in_progress} requests are in progress; try again a little later"
            return JSONResponse({"error": error}, 503, {"Retry-After": "1"})
        if self._token is None or path in _PAGE or (scope["method"], path) == _FORM:
            return None
        scheme, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode(), self._token.encode())
        if scheme.lower() == "bearer" and same:
            return None
        error = "send the token of this server as `Authorization: Bearer <token>`"
        return JSONResponse({"error": error}, 401, {"WWW-Authenticate": "Bearer"})
