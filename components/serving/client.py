"""Predictions of a model behind a server that speaks TensorFlow Serving's REST API."""

from __future__ import annotations

import base64
import math
import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from components.errors import PostersError
from components.ingest.decode import as_stored
from components.serving.prediction import Prediction

_STATUS = "status"
#: Outputs of `serving_default` that are not the labels' names.
_OTHERS = {"scores", "probabilities", _STATUS}
#: What one request may hold: servers limit bodies, and Base64 makes three bytes four.
_REQUEST_BYTES = 8 << 20
#: A server that is busy or being replaced is asked again after 0, 1, 2, 4 and 8 seconds, or when it
#: says. Asking twice does no harm.
_RETRY = Retry(
    total=5,
    backoff_factor=0.5,
    status_forcelist=(429, 502, 503, 504),
    allowed_methods=None,
    raise_on_status=False,
)
_ADDRESS = re.compile(r"^(?P<base>.*?)/v1/models/(?P<name>[^/:]+)(?P<version>/versions/\d+)?/?$")


class ServerClient:
    """An `Answerer` over HTTP: `posters serve`, or TensorFlow Serving itself."""

    def __init__(
        self,
        address: str,
        token: str | None = None,
        timeout_s: float = 60,
        retry: Retry = _RETRY,
    ) -> None:
        """Asks the server which version serves and what it gives.

        Args:
          address: `http://host:port`, where the model's name is `posters`, or a model's own,
            `http://host:port/v1/models/<name>[/versions/<number>]`.
          token: sent as `Authorization: Bearer <token>`, or None.
          timeout_s: how long one answer may take, seconds.
          retry: when a request is sent again.

        Raises:
          PostersError: there is no such server or model, or it is none of this project.
        """
        self.name = _model_address(address)
        self._timeout_s = timeout_s
        self._session = requests.Session()
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))
        metadata = self._get("/metadata")
        self.version = str(metadata["model_spec"]["version"])
        self.labels_output = self._labels_output(metadata)

    def ask(self, images: Sequence[bytes]) -> list[Prediction]:
        """See `Answerer`; asks in requests of a few megabytes.

        Images are sent as ingest would store them: TensorFlow Serving does not turn any.

        Raises:
          PostersError: the server does not answer, or wants a token.
        """
        stored = [as_stored(image) for image in images]
        return [answer for part in _parts(stored) for answer in self._ask(part)]

    def _ask(self, images: Sequence[bytes]) -> Iterator[Prediction]:
        instances = [{"b64": base64.b64encode(image).decode()} for image in images]
        status, content = self._request("POST", ":predict", {"instances": instances})
        if status == 200:
            yield from map(self._prediction, self._rows(content, len(images)))
        elif status in (400, 413) and len(images) > 1:
            # One image may spoil a request, or all of them may be none: asked alone, each says why.
            for image in images:
                yield from self._ask([image])
        elif status in (400, 413):
            yield Prediction.failed(_reason(content))
        else:
            raise PostersError(f"{self.name} answers {status}: {_reason(content)}")

    def _rows(self, content: Any, count: int) -> list[Mapping[str, Any]]:
        rows = content.get("predictions") if isinstance(content, dict) else None
        if not isinstance(rows, list) or len(rows) != count:
            raise PostersError(
                f"{self.name} gives {_brief(content)} where {count} predictions were wanted."
            )
        return rows

    def _prediction(self, row: Mapping[str, Any]) -> Prediction:
        try:
            if row[_STATUS]:
                return Prediction.failed(row[_STATUS])
            names = row[self.labels_output]
            scores, probabilities = (
                dict(zip(names, map(float, row[key]), strict=True))
                for key in ("scores", "probabilities")
            )
        except (KeyError, TypeError, ValueError) as error:
            raise PostersError(
                f"{self.name} gives {_brief(row)}: no answer of a model that `posters run` pushes."
            ) from error
        if not all(map(math.isfinite, scores.values())):
            return Prediction.failed("the model gives no number")
        return Prediction(scores, probabilities)

    def _labels_output(self, metadata: Any) -> str:
        try:
            signatures = metadata["metadata"]["signature_def"]["signature_def"]
            outputs = signatures["serving_default"]["outputs"]
            (name,) = outputs.keys() - _OTHERS
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise PostersError(
                f"{self.name} serves no model that `posters run` pushes: its metadata is "
                f"{_brief(metadata)}."
            ) from error
        return name

    def _get(self, path: str) -> Any:
        status, content = self._request("GET", path)
        if status != 200:
            raise PostersError(
                f"{self.name} answers {status}: {_reason(content)}. --server takes the address of "
                "a server, http://host:port, or of a model of it, "
                "http://host:port/v1/models/<name>; --token-file its token."
            )
        return content

    def _request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        try:
            answer = self._session.request(
                method, self.name + path, json=body, timeout=self._timeout_s
            )
        except requests.RequestException as error:
            raise PostersError(f"{self.name} cannot be asked: {_cause(error)}.") from error
        return answer.status_code, _json(answer)


def _model_address(address: str) -> str:
    parts = urllib.parse.urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise PostersError(f"--server {address}: write it as http://host:port")
    if match := _ADDRESS.match(address):
        return f"{match['base']}/v1/models/{match['name']}{match['version'] or ''}"
    return f"{address.rstrip('/')}/v1/models/posters"


def _parts(images: Sequence[bytes]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for image in images:
        if part and size + len(image) > _REQUEST_BYTES:
            yield part
            part, size = [], 0
        part.append(image)
        size += len(image)
    if part:
        yield part


def _json(answer: requests.Response) -> Any:
    """What came, or its beginning as text if it is no JSON."""
    try:
        return answer.json()
    except ValueError:
        return answer.text[:200]


def _reason(content: Any) -> str:
    if isinstance(content, dict) and isinstance(content.get("error"), str):
        return content["error"]
    return _brief(content)


def _brief(content: Any) -> str:
    return f"{content!r:.200}"


def _cause(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return f"{type(error).__name__}: {error!s:.120}"
