"""What OpenAPI says of `:predict`, whose body is read by hand."""

from __future__ import annotations

from typing import Any

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


def _body(key: str) -> dict[str, Any]:
    signature = {"type": "string", "default": "serving_default"}
    return {
        "type": "object",
        "properties": {"signature_name": signature, key: _VALUES},
        "required": [key],
        "additionalProperties": False,
    }


def _failure(what: str) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": _ERROR}}}


PREDICT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"oneOf": [_body("instances"), _body("inputs")]}}
        },
    },
    "responses": {
        "400": _failure("Not JSON of this form, or no image among those sent can be decoded"),
        "401": _failure("The token is missing or wrong"),
        "404": _failure("No such model or version serves"),
        "408": _failure("The body did not come in time"),
        "413": _failure("The body is too large"),
        "503": _failure("Too much is in progress"),
    },
}
