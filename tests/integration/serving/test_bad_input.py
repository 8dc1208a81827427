"""Bad input at the door of the real server: a word each time, and nothing else happens."""

import contextlib
import gzip
import json
import re
import select
import socket
import struct
import zlib

import pytest
import requests

from tests.examples import encode, example, picture
from tests.serving_process import b64

IMAGES = [encode(picture(seed, 30 + seed, 50)) for seed in range(2)]
PREDICT = "/v1/models/posters:predict"


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
    "null": (_predict(b"null"), 400),
    "a string": (_predict("poster"), 400),
    "not a number": (_predict(b'{"instances": NaN}'), 400),
    "two documents": (_predict(b"{}{}"), 400),
    "gzip": (_predict(gzip.compress(b'{"instances": []}')), 400),
    "a form": (_predict(b"instances=1&inputs=2"), 400),
    "both forms": (_predict({"instances": [b64(b"x")], "inputs": [b64(b"x")]}), 400),
    "instances that are a string": (_predict({"instances": "x"}), 400),
    "inputs that are a number": (_predict({"inputs": 7}), 400),
    "an input of another name": (_predict({"inputs": {"pixels": [b64(b"x")]}}), 400),
    "two inputs": (_predict({"inputs": {"image_bytes": [b64(b"x")], "more": []}}), 400),
    "an image as text": (_predict({"instances": ["x"]}), 400),
    "an image as numbers": (_predict({"instances": [[255, 216, 255]]}), 400),
    "base64 for addresses": (_predict({"instances": [{"b64": "_-_-"}]}), 400),
    "base64 with line ends": (_predict({"instances": [{"b64": "eHh4\neHh4"}]}), 400),
    "base64 without its end": (_predict({"instances": [{"b64": "eHh4e"}]}), 400),
    "more beside base64": (_predict({"instances": [{"b64": "eHh4", "x": 1}]}), 400),
    "a signature that is a number": (
        _predict({"instances": [b64(b"x")], "signature_name": 3}), 400,
    ),
    "a signature that is no text": (
        _predict(b'{"instances": [{"b64": "eA=="}], "signature_name": "\\ud800"}'), 400,
    ),
    "a signature of pixels": (
        _predict({"instances": [b64(b"x")], "signature_name": "pixels"}), 400,
    ),
    "a truncated jpeg": (_predict({"instances": [b64(IMAGES[0][:-200])]}), 400),
    "half a webp": (_predict({"instances": [b64(encode(picture(1), "WEBP")[:-200])]}), 400),
    "pdf": (_predict({"instances": [b64(b"%PDF-1.7\n")]}), 400),
    "svg": (_predict({"instances": [b64(b"<svg xmlns='http://www.w3.org/2000/svg'/>")]}), 400),
    "a body of 50 MB": (_predict(b'{"instances": "' + b"A" * 50_000_000 + b'"}'), 413),
    "50 MB in chunks": (
        _request("POST", PREDICT, headers="Transfer-Encoding: chunked\r\n")
        + (b"100000\r\n" + b"A" * (1 << 20) + b"\r\n") * 50 + b"0\r\n\r\n", 413,
    ),
    "a version in other digits": (
        _request("GET", "/v1/models/posters/versions/%D9%A1%D9%A0%D9%A0"), 400,
    ),
    "a version as a float": (_request("GET", "/v1/models/posters/versions/1e2"), 400),
    "code of the page": (_request("GET", "/../app.py"), 404),
    "code beside the page": (_request("GET", "/page.js/%2e%2e/%2e%2e/app.py"), 404),
    "a path up with backslashes": (_request("GET", "/..%5c..%5cetc%5cpasswd"), 404),
    "a path without end": (_request("GET", "/" + "a" * 50_000), 404),
    "an address of elsewhere": (_request("GET", "http://example.com/etc"), 404),
    "trace": (_request("TRACE", "/healthz"), 405),
    "http 2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 404),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "a name of a header with spaces": (_request("GET", "/healthz", headers="a b: c\r\n"), 400),
    "headers that trickle": ((b"GET / HTTP/1.1\r\n", *([b"X: y\r\n"] * 99)), 408),
    "headers that stay away": (b"GET / HTTP/1.1\r\nHost: x\r\n", 408),
    "a body that trickles": (
        (_request("POST", PREDICT, headers="Content-Length: 100\r\n"), *([b" "] * 99)), 408,
    ),
    "neighbours of nothing": (_request("POST", "/neighbours", b"{}"), 400),
}  # fmt: skip
#: Between two parts of what trickles, seconds.
PAUSE = 0.1


def _connect(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def _send(url: str, content: bytes | tuple[bytes, ...]) -> tuple[int, bytes]:
    """Sends what it is given, or part after part, until an answer comes."""
    with _connect(url) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for part in [content] if isinstance(content, bytes) else content:
                connection.sendall(part)  # it may have heard enough before the end
                if isinstance(content, tuple) and select.select([connection], [], [], PAUSE)[0]:
                    break
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while not _is_whole(received) and (part := connection.recv(65536)):
                received += part
    head, _, body = received.partition(b"\r\n\r\n")
    # Behind it may stand what is said of a second request, where the first was none.
    (length,) = re.findall(rb"(?i)content-length: (\d+)", head)
    return int(head.split()[1]), body[: int(length)]


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
    assert requests.get(f"{server.url}/readyz", timeout=60).status_code == 200


def test_there_are_sixty_kinds_and_more():
    assert len(BAD) >= 60


def test_memory_stays_flat_whatever_comes(server):
    """After each kind came once, above."""
    server.predict(*IMAGES)
    before = server.resident_bytes
    large = [kind for kind, (sent, _) in BAD.items() if len(sent) > 100_000]
    for kind in (*large, "a png of 400 megapixels", "a gif of 3600 megapixels") * 5:
        _send(server.url, BAD[kind][0])
    assert server.resident_bytes < before + (100 << 20)
    assert server.predict(IMAGES[0]).status_code == 200


@pytest.mark.parametrize("line", ["GET /healthz", "POST /nowhere"])
def test_a_body_that_nobody_reads_keeps_no_connection(server, line):
    with _connect(server.url) as connection:
        connection.sendall(f"{line} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n".encode())
        received = b""
        while not _is_whole(received):
            received += connection.recv(65536)
        connection.sendall(b"a")
        assert connection.recv(65536) == b""
    with _connect(server.url) as connection:  # who sends it all goes on
        for _ in range(2):
            connection.sendall(f"{line} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n".encode())
            received = b""
            while not _is_whole(received):
                received += connection.recv(65536)
            connection.sendall(b"ab")


def test_connections_that_say_nothing_keep_nobody_out_for_long(server):
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(_connect(server.url)) for _ in range(80)]
        answers = [b"".join(iter(lambda c=c: c.recv(65536), b"")) for c in idle]
    # Some are let in and closed after `header_seconds`; the last have no room.
    refused = [answer for answer in answers if b" 503 " in answer.splitlines()[0]]
    assert 20 <= len(refused) < 40
    assert all(b'{"error": "60 connections are open; try again later"}' in a for a in refused)
    kept = [answer for answer in answers if answer not in refused]
    assert all(b" 408 " in answer.splitlines()[0] for answer in kept)
    # When clients go themselves there is room, too.
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(_connect(server.url))
    for _ in range(50):
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"{server.url}/readyz", timeout=60).status_code == 200:
                break
    assert server.predict(IMAGES[0]).status_code == 200
