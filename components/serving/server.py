"""The server process: a socket, the application, uvicorn."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from pathlib import Path

import tensorflow as tf
import uvicorn

from components.errors import PostersError
from components.serving.app import create_app
from components.serving.connection import impatient_protocol
from components.serving.holder import ModelHolder
from components.serving.metrics import Metrics
from components.serving.page_routes import FindReport
from components.serving.settings import ServeSettings


def serve(
    folder: Path,
    settings: ServeSettings,
    host: str,
    port: int,
    token: str | None = None,
    find_report: FindReport = lambda folder: None,
) -> None:
    """Serves until SIGINT or SIGTERM, then ends what is in progress.

    Args:
      folder: a folder of versions, watched, or one version's own.
      settings: the limits.
      host: address to bind to.
      port: 0 takes a free one; the address is printed.
      token: what clients must send, or None.
      find_report: the page of the run that pushed the version in a folder.

    Raises:
      PostersError: the address cannot be bound to.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("components.serving").setLevel(logging.INFO)
    metrics = Metrics()

    def loaded(path: Path, error: PostersError | None) -> None:
        metrics.loads.labels("failed" if error else "loaded").inc()
        if error is None and path.name.isdecimal():
            metrics.version.set(int(path.name))

    # Before the first model is loaded: from then on it can no longer be changed.
    tf.config.threading.set_intra_op_parallelism_threads(settings.intra_op_threads)
    listener = _bind(host, port)
    with listener:
        holder = ModelHolder(folder, settings.poll_seconds, loaded)
        address = url_of(*listener.getsockname()[:2])
        if holder.current is None:
            print(f"no model in {folder} yet: {address}/readyz says when there is one", flush=True)
        print(f"{address}/v1/models/{settings.name}", flush=True)
        config = uvicorn.Config(
            create_app(holder, settings, metrics, token, find_report),
            http=impatient_protocol(settings.header_seconds, settings.max_connections),
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=settings.shutdown_seconds,
        )
        if threading.current_thread() is threading.main_thread():
            # uvicorn ends well at either, and then raises the signal once more.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: None)
        uvicorn.Server(config).run(sockets=[listener])


def url_of(host: str, port: int) -> str:
    """The address of a server, where one of IPv6 stands in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bind(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PostersError(
            f"cannot listen on {host}, port {port}: {reason}. Take another with --host and --port."
        ) from error
