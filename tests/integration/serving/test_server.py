"""The real server in a process of its own: its answers, and bad input at the door."""

import contextlib
import json
import re
import socket
import struct
import zlib

import numpy as np
import pytest
import requests
import tensorflow as tf

from tests.examples import FEATURES, encode, example, odd_images, picture
from tests.serving import BROKEN, LABELS
from tests.serving_process import b64

IMAGES = [encode(picture(seed, 30 + seed, 50)) for seed in range(6)]
PREDICT = "/v1/models/posters:predict"


@pytest.fixture(scope="module")
def wanted(model_folder):
    """What the model says of the images, asked in this process."""
    model = tf.saved_model.load(str(model_folder))
    return model.signatures["serving_default"](image_bytes=tf.constant(IMAGES))


def test_rows_are_the_models_own(server, wanted):
    rows = server.predict(*IMAGES).json()["predictions"]
    assert len(rows) == len(IMAGES)
    for key in ("scores", "probabilities"):
        np.testing.assert_allclose([row[key] for row in rows], wanted[key], atol=1e-5)
    assert all(row["genres"] == list(LABELS) and row["status"] == "" for row in rows)


def test_columns_versions_and_other_signatures_give_the_same(server, wanted):
    url = f"{server.url}/v1/models/posters/versions/100:predict"
    inputs = {"image_bytes": [b64(image) for image in IMAGES]}
    outputs = requests.post(url, json={"inputs": inputs}, timeout=60).json()["outputs"]
    np.testing.assert_allclose(outputs["scores"], wanted["scores"], atol=1e-5)
    records = [example("tt", image, ["Drama"]) for image in IMAGES]
    rows = server.predict(*records, signature_name="serving_examples").json()["predictions"]
    np.testing.assert_allclose([row["scores"] for row in rows], wanted["scores"], atol=1e-5)
    labels = server.predict(*records, signature_name="transform_labels").json()["predictions"]
    assert labels == [[1, 0, 0, 0]] * len(IMAGES)
    row = server.predict(*records, signature_name="transform_features").json()["predictions"][0]
    assert set(row) == {FEATURES.image_xf, FEATURES.labels_xf, FEATURES.id, "status"}


def test_every_kind_of_image_is_answered(server):
    for name, image in odd_images().items():
        assert server.predict(image).status_code == 200, name


def test_one_broken_image_spoils_no_other(server, wanted):
    rows = server.predict(IMAGES[0], b"no image", IMAGES[1]).json()["predictions"]
    assert rows[1]["scores"] == [None] * len(LABELS)
    assert rows[1]["status"] == "not a JPEG, PNG, GIF or BMP image (8 bytes)"
    np.testing.assert_allclose(rows[2]["scores"], wanted["scores"][1], atol=1e-5)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_request_without_any_image_says_why(server, kind):
    content, words = BROKEN[kind]
    answer = server.predict(content)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_status_metadata_health_and_metrics(server):
    status = requests.get(f"{server.url}/v1/models/posters", timeout=9).json()
    assert status["model_version_status"][0]["version"] == "100"
    assert status["model_version_status"][0]["state"] == "AVAILABLE"
    metadata = requests.get(f"{server.url}/v1/models/posters/metadata", timeout=9).json()
    assert metadata["model_spec"]["version"] == "100"
    signatures = metadata["metadata"]["signature_def"]["signature_def"]
    assert signatures["serving_default"]["inputs"]["image_bytes"]["dtype"] == "DT_STRING"
    assert signatures["serving_default"]["method_name"] == "tensorflow/serving/predict"
    assert requests.get(f"{server.url}/healthz", timeout=9).status_code == 200
    assert requests.get(f"{server.url}/readyz", timeout=9).json()["version"] == "100"
    server.predict(IMAGES[0])
    counted = requests.get(f"{server.url}/metrics", timeout=9).text
    assert "posters_model_version 100.0" in counted
    assert 'posters_requests_total{status="200"}' in counted


def _png_bomb() -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(20_001) * 2_000, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def _gif_bomb() -> bytes:
    content = bytearray(encode(picture(0), "GIF"))
    content[6:10] = struct.pack("<HH", 60_000, 60_000)
    return bytes(content)


def _request(method: str, path: str, body: bytes = b"", headers: str = "") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}{length}\r\n".encode() + body


def _predict(content: object) -> bytes:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return _request("POST", PREDICT, body)


#: Name: (what is sent as it is, the status that comes back).
BAD = {
    "nothing": (_predict(b" "), 400),
    "no body at all": (_request("POST", PREDICT), 400),
    "not json": (_predict(b"poster"), 400),
    "html": (_predict(b"<html><body>hello</body></html>"), 400),
    "a bare jpeg": (_predict(IMAGES[0]), 400),
    "utf-16": (_predict('{"instances": 3}'.encode("utf-16")), 400),
    "brackets without end": (_predict(b"[" * 200_000), 400),
    "braces without end": (_predict(b'{"a":' * 100_000), 400),
    "a number without end": (_predict(b"1" * 100_000), 400),
    "a list": (_predict([]), 400),
    "wrong key": (_predict({"images": [b64(b"x")]}), 400),
    "bad base64": (_predict({"instances": [{"b64": "?"}]}), 400),
    "not base64 at all": (_predict({"instances": [{"b64": 3}]}), 400),
    "empty list": (_predict({"instances": []}), 400),
    "empty image": (_predict({"instances": [b64(b"")]}), 400),
    "too many images": (_predict({"instances": [b64(b"x")] * 9}), 400),
    "unknown signature": (_predict({"instances": [b64(b"x")], "signature_name": "x"}), 400),
    "examples that are none": (
        _predict({"instances": [b64(b"\xff\xff")], "signature_name": "serving_examples"}), 400,
    ),
    "examples without image": (
        _predict({"instances": [b64(b"")], "signature_name": "serving_examples"}), 400,
    ),
    "a png of 400 megapixels": (_predict({"instances": [b64(_png_bomb())]}), 400),
    "a gif of 3600 megapixels": (_predict({"instances": [b64(_gif_bomb())]}), 400),
    "a bomb within an example": (
        _predict(
            {
                "instances": [b64(example("tt", _png_bomb(), ["Drama"]))],
                "signature_name": "serving_examples",
            }
        ), 400,
    ),
    "a large body": (_predict(b'{"instances": "' + b"A" * 3_000_000 + b'"}'), 413),
    "a huge body announced": (
        _request("POST", PREDICT, headers="Content-Length: 5000000000\r\n"), 413,
    ),
    "another model": (_request("POST", "/v1/models/other:predict", b"{}"), 404),
    "another version": (_request("POST", "/v1/models/posters/versions/7:predict", b"{}"), 404),
    "a version in words": (_request("POST", "/v1/models/posters/versions/x:predict", b"{}"), 400),
    "a version below zero": (_request("GET", "/v1/models/posters/versions/-1"), 400),
    "a version without end": (_request("GET", "/v1/models/posters/versions/" + "9" * 9999), 404),
    "unknown verb": (_request("POST", "/v1/models/posters:classify", b"{}"), 405),
    "unknown path": (_request("GET", "/v2/models/posters"), 404),
    "wrong method": (_request("DELETE", "/v1/models/posters"), 405),
    "get on predict": (_request("PUT", PREDICT, b"{}"), 405),
    "path up": (_request("GET", "/../../../../etc/passwd"), 404),
    "path up encoded": (_request("GET", "/%2e%2e/%2e%2e/etc/passwd"), 404),
    "path up in a model": (_request("GET", "/v1/models/..%2f..%2fetc"), 404),
    "nul in the path": (_request("GET", "/%00"), 404),
    "no http": (b"hello\r\n\r\n", 400),
    "a bad request line": (b"GET /healthz\r\n\r\n", 400),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    "a header without end": (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 300_000, 400),
    "headers without end": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 60_000, 400),
    "a bad length": (_request("POST", PREDICT, headers="Content-Length: -5\r\n"), 400),
    "two lengths": (
        _request("POST", PREDICT, b"{}", headers="Content-Length: 9\r\n"), 400,
    ),
    "bad chunks": (
        _request("POST", PREDICT, headers="Transfer-Encoding: chunked\r\n") + b"zz\r\n", 400,
    ),
    "a body that stays away": (
        _request("POST", PREDICT, headers="Content-Length: 100\r\n") + b"{", 408,
    ),
}  # fmt: skip


def _send(url: str, content: bytes) -> tuple[int, bytes]:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(content)  # it may have heard enough before the end
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while not _is_whole(received) and (part := connection.recv(65536)):
                received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(length) and len(body) >= int(length[1])


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_gets_a_word_and_the_server_stays(server, kind):
    sent, status = BAD[kind]
    found, body = _send(server.url, sent)
    assert found == status, body
    assert list(json.loads(body)) == ["error"]
    assert json.loads(body)["error"]
    assert requests.get(f"{server.url}/readyz", timeout=9).status_code == 200


def test_memory_stays_flat_whatever_comes(server):
    server.predict(*IMAGES)
    before = server.resident_bytes
    large = [kind for kind, (sent, _) in BAD.items() if len(sent) > 100_000]
    for kind in (*large, "a png of 400 megapixels", "a gif of 3600 megapixels") * 5:
        _send(server.url, BAD[kind][0])
    assert server.resident_bytes < before + (100 << 20)
    assert server.predict(IMAGES[0]).status_code == 200


def test_the_specification_describes_what_is_there(server):
    paths = requests.get(f"{server.url}/openapi.json", timeout=9).json()["paths"]
    assert "/v1/models/{name}:predict" in paths
    assert "/v1/models/{name}/versions/{version}:predict" in paths
    responses = paths["/v1/models/{name}:predict"]["post"]["responses"]
    assert {"200", "400", "401", "404", "408", "413", "503"} <= set(responses)
