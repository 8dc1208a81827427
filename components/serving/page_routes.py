"""What the page asks besides the public API: words about the model, neighbours, the report."""

from __future__ import annotations

import asyncio
import base64
import hmac
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.responses import HTMLResponse

from components.serving import body
from components.serving.holder import ModelHolder
from components.serving.model import ServedModel
from components.serving.request_error import RequestError
from components.serving.routes import ModelRoutes
from components.serving.settings import ServeSettings
from components.trainer import export

#: Nearest training images shown.
_SHOWN = 5
#: Of a form that holds a token.
_FORM_BYTES = 4096
#: A run's page is one file without scripts; nothing else of it needs to be allowed.
_REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

#: The page of the run that pushed the version in a folder, or None.
FindReport = Callable[[Path], Path | None]


class PageRoutes:
    """The handlers and `router`, with their addresses; none is in the API's specification."""

    def __init__(
        self,
        holder: ModelHolder,
        models: ModelRoutes,
        settings: ServeSettings,
        find_report: FindReport,
        token: str | None,
    ) -> None:
        """Takes what serves, what answers, the limits, where reports are, and the token."""
        self._holder = holder
        self._models = models
        self._settings = settings
        self._find_report = find_report
        self._token = token
        self.router = APIRouter(include_in_schema=False)
        self.router.get("/about")(self.about)
        self.router.post("/neighbours")(self.neighbours)
        self.router.get("/report")(self.report)
        self.router.post("/report")(self.report_with_token)

    async def about(self) -> JSONResponse:
        """What the page says of the model."""
        model = self._current()
        found: dict[str, Any] = {
            "name": self._settings.name,
            "version": str(model.version),
            "labels": model.labels,
            "labels_output": model.description["features"]["labels"],
            "examples": model.description.get("examples"),
            "data": _data(model.description),
            "has_neighbours": model.neighbours is not None,
            "report": await self._report_address(model),
            "max_megapixels": self._settings.max_megapixels,
        }
        return JSONResponse(found)

    async def neighbours(self, request: Request) -> JSONResponse:
        """The nearest training images of each image in a body like that of `:predict`."""
        model = self._current()
        if model.neighbours is None:
            raise RequestError(404, "no training images were kept beside this model")
        _, answer = await self._models.answer(request, model, export.EMBEDDING)
        rows = [
            [] if status else model.neighbours.nearest(embedding, _SHOWN)
            for embedding, status in zip(
                answer[export.EMBEDDING], answer[export.STATUS], strict=True
            )
        ]
        plain = [
            [
                {
                    "id": found.id,
                    "labels": found.labels,
                    "similarity": round(found.similarity, 4),
                    "picture": "data:image/jpeg;base64," + base64.b64encode(found.picture).decode(),
                }
                for found in row
            ]
            for row in rows
        ]
        return JSONResponse({"neighbours": plain})

    async def report(self) -> Response:
        """The page of the run that pushed the model."""
        model = self._current()
        path = await asyncio.to_thread(self._find_report, model.folder)
        if path is None:
            raise RequestError(404, "no report of this model is kept here")
        content = await asyncio.to_thread(path.read_bytes)
        return HTMLResponse(content, headers={"Content-Security-Policy": _REPORT_POLICY})

    async def report_with_token(self, request: Request) -> Response:
        """The same for a form, since a link sends no header; the door lets it pass unasked."""
        content = await body.read(request, _FORM_BYTES, self._settings.body_seconds)
        given = urllib.parse.parse_qs(content.decode(errors="replace")).get("token", [""])[0]
        if self._token and not hmac.compare_digest(given.encode(), self._token.encode()):
            raise RequestError(401, "the form lacks the token of this server")
        return await self.report()

    def _current(self) -> ServedModel:
        if self._holder.current is None:
            raise RequestError(404, "no model is loaded yet")
        return self._holder.current

    async def _report_address(self, model: ServedModel) -> str | None:
        if self._settings.report_url:
            return self._settings.report_url.replace("{version}", str(model.version))
        found = await asyncio.to_thread(self._find_report, model.folder)
        return "report" if found else None


def _data(description: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a model's description tells of the spans that it was trained on."""
    spans = description.get("spans")
    if not spans:
        return None
    dates = [span["date"] for span in spans if span.get("date")]
    return {"spans": [span["number"] for span in spans], "date": max(dates, default=None)}
