"""TensorFlow Serving's REST API for one model: predict, status and metadata."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Iterable
from typing import Any

import tensorflow as tf
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from google.protobuf.message import DecodeError

from components.image_header import pixel_count
from components.request_log.log import RequestLog
from components.serving import body, protocol
from components.serving.api_description import METADATA, PREDICT, STATUS
from components.serving.batching import Answer, Batcher
from components.serving.holder import ModelHolder
from components.serving.metrics import Metrics
from components.serving.model import ServedModel
from components.serving.request_error import RequestError
from components.serving.settings import ServeSettings
from components.trainer import export

_MEGABYTE = 1 << 20
#: A body up to this size is read where it arrives; a larger one would hold up the others.
_SMALL_BYTES = 1 << 19


class ModelRoutes:
    """The handlers, and `router`, which knows their addresses."""

    def __init__(
        self,
        holder: ModelHolder,
        batcher: Batcher,
        settings: ServeSettings,
        metrics: Metrics,
        log: RequestLog | None = None,
    ) -> None:
        """Takes what serves, what batches, the limits, what counts, and what keeps requests."""
        self._log = log
        self._holder = holder
        self._batcher = batcher
        self._settings = settings
        self._metrics = metrics
        self.router = APIRouter(prefix="/v1/models/{name}")
        self.router.post(":predict", openapi_extra=PREDICT)(self.predict)
        self.router.get("/metadata", openapi_extra=METADATA)(self.metadata)
        self.router.get("", openapi_extra=STATUS)(self.status)
        # Apart: a version that a path does not have would become a parameter of the query.
        one = "/versions/{version}"
        self.router.post(f"{one}:predict", openapi_extra=PREDICT)(self.predict_version)
        self.router.get(f"{one}/metadata", openapi_extra=METADATA)(self.metadata_of_version)
        self.router.get(one, openapi_extra=STATUS)(self.status_of_version)

    async def predict(self, request: Request, name: str) -> Response:
        """Scores of images, or what another signature gives."""
        return await self._predict(request, self._find(name, None))

    async def predict_version(self, request: Request, name: str, version: str) -> Response:
        """The same of the version that is named, if it serves."""
        return await self._predict(request, self._find(name, version))

    async def status(self, name: str) -> JSONResponse:
        """Which version serves."""
        return _status(self._find(name, None))

    async def status_of_version(self, name: str, version: str) -> JSONResponse:
        """Whether a version serves."""
        return _status(self._find(name, version))

    async def metadata(self, name: str) -> JSONResponse:
        """The signatures of the version that serves."""
        return _metadata(name, self._find(name, None))

    async def metadata_of_version(self, name: str, version: str) -> JSONResponse:
        """The signatures of the version that is named, if it serves."""
        return _metadata(name, self._find(name, version))

    async def answer(
        self, request: Request, model: ServedModel, signature: str | None = None
    ) -> tuple[protocol.PredictRequest, Answer]:
        """Reads a request's body and asks a model.

        Args:
          request: whose body nobody has read.
          model: what is asked.
          signature: in place of the one that the body names.

        Raises:
          RequestError: it cannot be answered.
        """
        limits = self._settings
        content = await body.read(request, int(limits.max_body_mb * _MEGABYTE), limits.body_seconds)
        inputs = {signature: model.input_of(signature) for signature in model.signatures}
        parsing = (content, inputs, limits.max_request_images)
        if len(content) > _SMALL_BYTES:
            wanted = await asyncio.to_thread(protocol.parse, *parsing)
        else:
            wanted = protocol.parse(*parsing)
        if signature is not None:
            wanted = dataclasses.replace(wanted, signature=signature)
        images = list(_images(model, wanted))
        _refuse_bombs(images, limits.max_megapixels)
        try:
            answer = await self._batcher.ask(model, wanted.signature, wanted.values)
        except tf.errors.InvalidArgumentError as error:
            raise RequestError(400, _reason(error)) from error
        self._count(answer, len(wanted.values))
        if reason := protocol.lost(answer):
            raise RequestError(400, reason)
        if self._log and "scores" in answer and len(images) == len(wanted.values):
            self._log.offer(model, images, answer["scores"], answer[export.STATUS])
        return wanted, answer

    async def _predict(self, request: Request, model: ServedModel) -> Response:
        started = time.perf_counter()
        wanted, answer = await self.answer(request, model)
        rendered = protocol.render(wanted, answer)
        self._metrics.seconds.observe(time.perf_counter() - started)
        return Response(rendered, media_type="application/json")

    def _find(self, name: str, version: str | None) -> ServedModel:
        if version is not None and not (version.isascii() and version.isdecimal()):
            raise RequestError(400, f"a version is a number, not {version!r:.80}")
        model = self._holder.current
        if name == self._settings.name and model and version in (None, str(model.version)):
            return model
        wanted = f"Specific({name:.80}, {version:.20})" if version else f"Latest({name:.80})"
        raise RequestError(404, f"Servable not found for request: {wanted}")

    def _count(self, answer: dict[str, Any], count: int) -> None:
        failed = sum(1 for word in answer.get(export.STATUS, ()) if word)
        self._metrics.images.labels("undecodable").inc(failed)
        self._metrics.images.labels("answered").inc(count - failed)


def _status(model: ServedModel) -> JSONResponse:
    status = {
        "version": str(model.version),
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    return JSONResponse({"model_version_status": [status]})


def _metadata(name: str, model: ServedModel) -> JSONResponse:
    specification = {"name": name, "signature_name": "", "version": str(model.version)}
    signatures: dict[str, Any] = {"signature_def": {"signature_def": model.metadata}}
    return JSONResponse({"model_spec": specification, "metadata": signatures})


def _reason(error: tf.errors.InvalidArgumentError) -> str:
    """What an operation said, without the places in the graph around it."""
    told = ("Graph execution error", "Detected at node", "<stack traces", "[[", "  ")
    lines = [line for line in error.message.splitlines() if line and not line.startswith(told)]
    return (lines or ["the model refused the values"])[0].partition("[Op:")[0].strip()[:300]


def _images(model: ServedModel, wanted: protocol.PredictRequest) -> Iterable[bytes]:
    """The images of a request, also those within examples."""
    if model.input_of(wanted.signature) == export.IMAGE_INPUT:
        yield from wanted.values
        return
    feature = model.description["features"]["image"]
    for place, value in enumerate(wanted.values):
        try:
            example = tf.train.Example.FromString(value)
        except DecodeError as error:
            raise RequestError(400, f"value {place} is no serialized tf.Example") from error
        if feature in example.features.feature:
            yield from example.features.feature[feature].bytes_list.value


def _refuse_bombs(images: Iterable[bytes], max_megapixels: float) -> None:
    for place, image in enumerate(images):
        pixels = pixel_count(image)
        if pixels is not None and pixels > max_megapixels * 1e6:
            raise RequestError(
                400,
                f"image {place} has {pixels / 1e6:.1f} megapixels; {max_megapixels:g} are allowed",
            )
