"""What OpenAPI says of the API: of bodies that are read by hand, and of what can go wrong."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_BYTES = {
    "type": "object",
    "properties": {"b64": {"type": "string", "format": "byte"}},
    "required": ["b64"],
    "additionalProperties": False,
}
_VALUES = {"type": "array", "minItems": 1, "items": _BYTES}
_ERROR = {
    "type": "object",
    "properties": {"error": {"type": "string"}},
    "required": ["error"],
}
_FAILURES = {
    "400": "Not JSON of this form, no number of a version, or no image among those sent",
    "401": "The token is missing or wrong",
    "404": "No such model or version serves",
    "408": "The body did not come in time",
    "413": "The body is too large",
    "503": "Too much is in progress",
}


def _body(key: str) -> dict[str, Any]:
    signature = {"type": "string", "default": "serving_default"}
    return {
        "type": "object",
        "properties": {"signature_name": signature, key: _VALUES},
        "required": [key],
        "additionalProperties": False,
    }


def _answer(key: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {key: content}, "required": [key]}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _failures(*statuses: str) -> dict[str, Any]:
    return {status: _json(_FAILURES[status], _ERROR) for status in statuses}


#: A row a value, or a column an output.
_ANSWERS = [_answer("predictions", {"type": "array"}), _answer("outputs", {})]
_ADDRESSED = _failures("400", "401", "404", "503")

PREDICT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"oneOf": [_body("instances"), _body("inputs")]}}
        },
    },
    "responses": {
        "200": _json("Predictions", {"oneOf": _ANSWERS}),
        **_failures(*_FAILURES),
    },
}
STATUS: dict[str, Any] = {
    "responses": {
        "200": _json("State", _answer("model_version_status", {"type": "array"})),
        **_ADDRESSED,
    }
}
METADATA: dict[str, Any] = {
    "responses": {
        "200": _json("Signatures", _answer("metadata", {"type": "object"})),
        **_ADDRESSED,
    }
}
READY: dict[str, Any] = {"responses": {"503": _json("No model is loaded yet", _ERROR)}}
METRICS: dict[str, Any] = {
    "responses": {
        "200": {
            "description": "Prometheus's text form",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        **_failures("401", "503"),
    }
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The specification of an application whose parameters are checked by hand."""
    found = get_openapi(
        title=app.title,
        version=app.version,
        summary="TensorFlow Serving's REST API for one model",
        routes=app.routes,
    )
    for path in found["paths"].values():
        for operation in path.values():
            # What FastAPI answers to a parameter of a wrong type: here all are text.
            operation["responses"].pop("422", None)
    for unused in ("HTTPValidationError", "ValidationError"):
        found.get("components", {}).get("schemas", {}).pop(unused, None)
    return found
