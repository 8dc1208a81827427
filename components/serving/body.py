"""Reading a request's body, of which a client says whatever it likes."""

from __future__ import annotations

import anyio
from starlette.requests import ClientDisconnect, Request

from components.serving.request_error import RequestError

#: Of a body that is too large, what is read and thrown away, at least and as a multiple of what is
#: allowed: many clients see an answer only once they have sent all.
_DRAINED_BYTES = 64 << 20
_DRAINED = 4


async def read(request: Request, max_bytes: int, seconds: float) -> bytes:
    """Reads the body.

    Args:
      request: whose body nobody has read.
      max_bytes: more is not kept.
      seconds: how long the client may take.

    Raises:
      RequestError: 413, larger than allowed; 408, not there in time; 400, the client went away.
    """
    try:
        with anyio.fail_after(seconds):
            return await _read(request, max_bytes)
    except TimeoutError as error:
        raise RequestError(408, f"the body was not there within {seconds:g} seconds") from error
    except ClientDisconnect as error:
        raise RequestError(400, "the connection closed before the body's end") from error


async def _read(request: Request, max_bytes: int) -> bytes:
    too_large = RequestError(
        413, f"the body is larger than {max_bytes} bytes; send fewer or smaller images"
    )
    drained = max(_DRAINED_BYTES, _DRAINED * max_bytes)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > drained:
        raise too_large
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > drained:
            break
        if size > max_bytes:
            parts.clear()
        else:
            parts.append(part)
    if size > max_bytes:
        raise too_large
    return b"".join(parts)
