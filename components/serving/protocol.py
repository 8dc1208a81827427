"""TensorFlow Serving's REST API in words of JSON: what `:predict` takes and gives.

The forms are those of its documentation, "RESTful API": `instances` answers with `predictions`, a
row a value; `inputs` with `outputs`, a column an output.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.serving.request_error import RequestError
from components.trainer import export

_KEYS = ("signature_name", "instances", "inputs")


@dataclasses.dataclass(frozen=True)
class PredictRequest:
    """One request.

    Attributes:
      signature: which of the model's signatures.
      values: what it is asked about.
      by_row: whether the answer is wanted as `predictions`, and not as `outputs`.
    """

    signature: str
    values: tuple[bytes, ...]
    by_row: bool


def parse(body: bytes, inputs: Mapping[str, str], max_values: int) -> PredictRequest:
    """Reads the body of a `:predict` request.

    Args:
      body: JSON.
      inputs: the model's signatures, and of each the name of its one input.
      max_values: how many values a request may hold.

    Raises:
      RequestError: 400, with what is wrong and where.
    """
    content = _json_object(body)
    if unknown := [key for key in content if key not in _KEYS]:
        raise RequestError(400, f"unknown key {unknown[0]!r:.80}; known are {', '.join(_KEYS)}")
    if ("instances" in content) == ("inputs" in content):
        raise RequestError(400, "the body must have one of the keys 'instances' and 'inputs'")
    signature = content.get("signature_name", "") or export.SERVING_DEFAULT
    if not isinstance(signature, str) or signature not in inputs:
        known = ", ".join(sorted(inputs))
        raise RequestError(400, f"signature_name: there is no {signature!r:.80}; there are {known}")
    name = inputs[signature]
    by_row = "instances" in content
    key = "instances" if by_row else "inputs"
    values = content[key]
    if not by_row and isinstance(values, dict) and "b64" not in values:
        values = _only_value(values, name, key)
    if not isinstance(values, list):
        raise RequestError(400, f"{key} must be a list, not {_kind(values)}")
    if not values:
        raise RequestError(400, f"{key} is empty")
    if len(values) > max_values:
        raise RequestError(400, f"{key} holds {len(values)} values; {max_values} are allowed")
    decoded = tuple(
        _value(value, name if by_row else None, f"{key}[{place}]")
        for place, value in enumerate(values)
    )
    return PredictRequest(signature, decoded, by_row)


def render(request: PredictRequest, outputs: Mapping[str, np.ndarray]) -> bytes:
    """Writes the answer; a number that is none becomes null, since JSON has no NaN."""
    columns = {name: _plain(rows) for name, rows in outputs.items()}
    (first, *others) = columns.values()
    if request.by_row:
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        content = {"predictions": rows if others else first}
    else:
        content = {"outputs": columns if others else first}
    return json.dumps(content, ensure_ascii=False, allow_nan=False).encode()


def lost(outputs: Mapping[str, np.ndarray]) -> str | None:
    """Why there is nothing in an answer, if there is not: the first word of `status`."""
    status = outputs.get(export.STATUS)
    if status is None or not all(status):
        return None
    return status[0].decode(errors="replace")


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"the body is not JSON: {error!s:.200}") from error
    if not isinstance(content, dict):
        raise RequestError(400, f"the body must be a JSON object, not {_kind(content)}")
    return content


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _only_value(named: Mapping[str, Any], name: str, where: str) -> Any:
    if list(named) != [name]:
        found = ", ".join(map(repr, named)) or "nothing"
        raise RequestError(400, f"{where} must name the input {name!r} alone, not {found:.120}")
    return named[name]


def _value(value: Any, name: str | None, where: str) -> bytes:
    """The bytes of one value: {"b64": ...}, or by row also {<input>: {"b64": ...}}."""
    if name is not None and isinstance(value, dict) and "b64" not in value:
        value = _only_value(value, name, where)
    if not isinstance(value, dict) or list(value) != ["b64"]:
        raise RequestError(
            400, f'{where} must be an object {{"b64": "<Base64>"}}, not {_kind(value)}'
        )
    text = value["b64"]
    if not isinstance(text, str):
        raise RequestError(400, f"{where}.b64 must be a string, not {_kind(text)}")
    try:
        return _base64(text)
    except (binascii.Error, ValueError) as error:
        raise RequestError(400, f"{where}.b64 is not Base64: {error}") from error


def _base64(text: str) -> bytes:
    """What `base64.b64decode(text, validate=True)` gives, without its regular expression.

    `a2b_base64` passes over what is no Base64, and then has fewer bytes than so many letters give.
    """
    try:
        content = binascii.a2b_base64(text)
    except ValueError:
        content = b""
    padding = text[-2:].count("=")
    if 4 * (len(content) + padding) == 3 * len(text):
        return content
    return base64.b64decode(text, validate=True)


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object with {', '.join(map(repr, list(value)[:5])) or 'no key'}"[:120]
    names = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _plain(rows: np.ndarray) -> list[Any]:
    if rows.dtype.kind != "f":
        return _texts(rows.tolist())
    return rows.tolist() if np.isfinite(rows).all() else _finite(rows.tolist())


def _finite(values: Sequence[Any]) -> list[Any]:
    return [
        _finite(value) if isinstance(value, list) else (value if math.isfinite(value) else None)
        for value in values
    ]


def _texts(values: Sequence[Any]) -> list[Any]:
    """Strings as text; what is no text, such as an image, as Base64."""
    return [_texts(value) if isinstance(value, list) else _text(value) for value in values]


def _text(value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode()}
