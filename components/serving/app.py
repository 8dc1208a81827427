"""The HTTP application: TensorFlow Serving's REST API, health, metrics and the page."""

from __future__ import annotations

import contextlib
import functools
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

import components
from components.request_log.log import RequestLog
from components.serving.api_description import METRICS, READY, describe
from components.serving.batching import Batcher, default_threads
from components.serving.door import Door
from components.serving.holder import ModelHolder
from components.serving.metrics import Metrics
from components.serving.page_routes import FindReport, PageRoutes
from components.serving.request_error import RequestError
from components.serving.routes import ModelRoutes
from components.serving.settings import ServeSettings

_LOG = logging.getLogger(__name__)
_PAGE = Path(__file__).with_name("page")


def create_app(
    holder: ModelHolder,
    settings: ServeSettings,
    metrics: Metrics,
    token: str | None = None,
    find_report: FindReport = lambda folder: None,
) -> FastAPI:
    """Builds the application.

    Args:
      holder: what serves; the application has it look for versions while it runs.
      settings: the limits.
      metrics: what to count in.
      token: what clients must send as `Authorization: Bearer <token>`, or None.
      find_report: the page of the run that pushed the version in a folder.
    """
    batcher = Batcher(
        settings.max_batch_images,
        settings.batch_threads or default_threads(),
        settings.max_queue_images,
        metrics.batch_images.observe,
    )
    metrics.watch_queue(lambda: batcher.waiting)
    log = settings.log and RequestLog(settings.log, batcher.submit, metrics.count_logged)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        holder.start()
        yield
        holder.stop()
        batcher.close()
        if log:
            log.close()

    # Its pages of documentation would fetch scripts from elsewhere.
    app = FastAPI(
        title="posters",
        version=components.__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(Door, max_requests=settings.max_requests, metrics=metrics, token=token)
    models = ModelRoutes(holder, batcher, settings, metrics, log)
    app.include_router(models.router)
    app.include_router(PageRoutes(holder, models, settings, find_report, token).router)
    _add_operations(app, holder, metrics)
    _add_errors(app)
    app.openapi = functools.cache(lambda: describe(app))
    app.mount("/", StaticFiles(directory=_PAGE, html=True))
    return app


def _add_operations(app: FastAPI, holder: ModelHolder, metrics: Metrics) -> None:
    @app.get("/healthz")
    async def healthz() -> JSONResponse:
        """Whether the process answers."""
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", openapi_extra=READY)
    async def readyz() -> JSONResponse:
        """Whether a model is there to ask."""
        if holder.current is None:
            return JSONResponse({"error": "no model is loaded yet"}, 503)
        return JSONResponse({"status": "ready", "version": str(holder.current.version)})

    @app.get("/metrics", openapi_extra=METRICS, response_class=PlainTextResponse)
    async def prometheus() -> Response:
        """Counters, in Prometheus's form."""
        return Response(metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(RequestError)
    async def refused(request: Request, error: RequestError) -> JSONResponse:
        headers = {"Retry-After": "1"} if error.status == 503 else {}
        # What is left of a body that was not read would be taken for the next request.
        headers.update({"Connection": "close"} if error.status in (408, 413) else {})
        return JSONResponse({"error": str(error)}, error.status, headers)

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> JSONResponse:
        sentence = f"{error.detail}: {request.method} {request.url.path:.200}"
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_methods(app, request.url.path))
        return JSONResponse({"error": sentence}, error.status_code, headers)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        _LOG.error("%s %s", request.method, request.url.path, exc_info=error)
        return JSONResponse({"error": "internal error; the server's log says more"}, 500)


def _methods(app: FastAPI, path: str) -> list[str]:
    """What may be done at an address: the page's files, last of the routes, forget to say it."""
    for template, operations in app.openapi()["paths"].items():
        # A name ends at a colon, behind which the verb is.
        pattern = re.sub(r"\\\{\w+\\\}", "[^/:]+", re.escape(template))
        if re.fullmatch(pattern, path):
            return [method.upper() for method in operations]
    return ["GET", "HEAD"]
