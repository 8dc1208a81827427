"""What the server allows, as a person sets it in the configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.request_log.settings import RequestLogSettings


@dataclass(frozen=True, config={"extra": "forbid"})
class ServeSettings:
    """Limits and habits of `posters serve`.

    Attributes:
      name: the model's name in addresses, `/v1/models/<name>`.
      poll_seconds: between two looks at whether a version was pushed or taken away.
      max_batch_images: how many images of several requests are asked about together.
      batch_threads: batches in the model at once; by default twice as many as the machine has
        cores.
      intra_op_threads: cores that one operation of the model may use; 0 for all. Small batches side
        by side, a core each, pass more posters than large ones that share all.
      max_request_images: images in one request.
      max_queue_images: images that may wait; further requests are turned away.
      max_requests: requests in progress at once; further ones are turned away.
      max_body_mb: of one request, 2**20 bytes, in Base64.
      max_megapixels: of one image, 10**6 pixels over all its frames, before it is decoded.
      max_connections: open at once, idle ones included; further ones are closed with a word. A
        process may usually have 1024 files open.
      header_seconds: how long a client may take from connecting to the end of a request's headers.
      body_seconds: how long a client may take to send a request.
      shutdown_seconds: how long requests in progress may take to end after SIGTERM.
      report_url: address of a model's report, with `{version}` for the version; by default the page
        links to the page of the run in the configuration's workspace that pushed it.
      log: what is kept of requests, see `RequestLogSettings`; absent, nothing is.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "posters"
    poll_seconds: Annotated[float, Field(gt=0)] = 2
    max_batch_images: Annotated[int, Field(ge=1, le=1024)] = 32
    batch_threads: Annotated[int, Field(ge=1, le=256)] | None = None
    intra_op_threads: Annotated[int, Field(ge=0)] = 1
    max_request_images: Annotated[int, Field(ge=1)] = 256
    max_queue_images: Annotated[int, Field(ge=1)] = 1024
    max_requests: Annotated[int, Field(ge=1)] = 128
    max_body_mb: Annotated[float, Field(gt=0)] = 32
    max_megapixels: Annotated[float, Field(gt=0)] = 50
    max_connections: Annotated[int, Field(ge=1)] = 800
    header_seconds: Annotated[float, Field(gt=0)] = 10
    body_seconds: Annotated[float, Field(gt=0)] = 30
    shutdown_seconds: Annotated[int, Field(ge=0)] = 30
    report_url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    log: RequestLogSettings | None = None
