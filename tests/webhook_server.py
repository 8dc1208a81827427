"""A webhook on this machine, which answers as it is told."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeWebhook:
    """What it was sent, and how it answers.

    Attributes:
      address: to post to.
      received: headers and JSON of each request.
      statuses: to answer first, oldest first; then 200. None hangs until the server ends.
    """

    def __init__(self) -> None:
        self.address = ""
        self.received: list[tuple[dict[str, str], Any]] = []
        self.statuses: list[int | None] = []


@contextlib.contextmanager
def serving() -> Iterator[FakeWebhook]:
    """Serves until the block ends."""
    webhook, over = FakeWebhook(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            webhook.received.append((dict(self.headers), json.loads(body)))
            status = webhook.statuses.pop(0) if webhook.statuses else 200
            if status is None:
                over.wait()
                return
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    webhook.address = f"http://127.0.0.1:{server.server_address[1]}/hook"
    try:
        yield webhook
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()
