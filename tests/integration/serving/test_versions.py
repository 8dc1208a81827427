"""A real server while versions come and go: no request is lost, and what is broken never serves."""

import base64
import http.client
import json
import re
import shutil
import threading
import time
import urllib.parse
from pathlib import Path

import pytest
import requests

from components.trainer import neighbours
from tests import serving
from tests.examples import encode, picture
from tests.serving_process import ServerProcess

IMAGE = encode(picture(3))
TOKEN = "s3cret"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
BODY = {"instances": [{"b64": base64.b64encode(IMAGE).decode()}]}


@pytest.fixture(scope="module")
def versions(model_folder, transform_graph, tmp_path_factory) -> dict[int, Path]:
    """Two versions that give other scores, to be pushed."""
    other = serving.export_model(transform_graph, tmp_path_factory.mktemp("other") / "1", seed=1)
    return {100: model_folder, 101: other}


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """The folder that the server watches; missing at first."""
    return tmp_path_factory.mktemp("watched") / "models"


@pytest.fixture(scope="module")
def server(models, tmp_path_factory):
    """One server, which the tests below use in their order."""
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text(f"{TOKEN}\n")
    arguments = ("--token-file", str(token))
    with ServerProcess(models, "poll_seconds=0.1", arguments=arguments) as process:
        yield process


def _push(version: Path, models: Path, number: int) -> None:
    """As the Pusher does: whole under another name first."""
    shutil.copytree(version, models / f".push-{number}")
    (models / f".push-{number}").rename(models / str(number))


class _Clients:
    """Some clients that ask without pause, each one connection."""

    def __init__(self, url: str, count: int = 4) -> None:
        self.statuses: list[int] = []
        self.scores: set[float] = set()
        self._url = f"{url}/v1/models/posters:predict"
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(count)]

    def _ask(self) -> None:
        with requests.Session() as session:
            while not self._stop.is_set():
                answer = session.post(self._url, json=BODY, headers=HEADERS, timeout=60)
                self.statuses.append(answer.status_code)
                self.scores.add(round(answer.json()["predictions"][0]["scores"][0], 4))

    def __enter__(self) -> "_Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def _version(server: ServerProcess) -> str:
    return requests.get(f"{server.url}/readyz", timeout=30).json()["version"]


def _wait_for(condition, what: str) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"never came: {what}")


def _ask(server: ServerProcess, body: dict = BODY, headers: dict = HEADERS) -> requests.Response:
    url = f"{server.url}/v1/models/posters:predict"
    return requests.post(url, json=body, headers=headers, timeout=60)


def test_without_a_model_it_waits_for_one(versions, models, server):
    assert requests.get(f"{server.url}/healthz", timeout=30).status_code == 200
    assert requests.get(f"{server.url}/readyz", timeout=30).status_code == 503
    answer = _ask(server)
    assert answer.status_code == 404
    assert answer.json() == {"error": "Servable not found for request: Latest(posters)"}
    _push(versions[100], models, 100)
    _wait_for(lambda: _ask(server).status_code == 200, "the first version")


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}]
)
def test_without_the_token_nothing_is_answered(server, headers):
    refused = _ask(server, headers=headers)
    assert refused.status_code == 401
    assert "Bearer" in refused.json()["error"]


def test_versions_come_and_go_and_no_request_is_lost(versions, models, server):
    with _Clients(server.url) as clients:
        _push(versions[101], models, 101)
        _wait_for(lambda: _version(server) == "101", "the version that was pushed")
        _wait_for(lambda: len(clients.scores) == 2, "an answer of the new version")
        # One without its weights, as if half of it had been copied.
        shutil.copytree(versions[100], models / "102", ignore=lambda *_: ["variables"])
        _wait_for(lambda: "is no model" in "".join(server.lines), "a word on the broken one")
        assert _version(server) == "101"
        # The rest of it arrives, a file that holds nothing among it.
        (models / "102" / neighbours.FILE).write_bytes(b"")
        shutil.copytree(versions[100] / "variables", models / ".variables")
        (models / ".variables").rename(models / "102" / "variables")
        _wait_for(lambda: _version(server) == "102", "the version once it is whole")
        shutil.rmtree(models / "101")
        shutil.rmtree(models / "102")
        _wait_for(lambda: _version(server) == "100", "the version before")
        # With nothing left it goes on with what it has.
        shutil.rmtree(models / "100")
        done = len(clients.statuses)
        _wait_for(lambda: len(clients.statuses) > done + 20, "answers without a folder")
    assert set(clients.statuses) == {200}
    assert len(clients.scores) == 2
    counted = requests.get(f"{server.url}/metrics", headers=HEADERS, timeout=30).text
    failed = re.search(r'posters_model_loads_total\{outcome="failed"\} ([\d.]+)', counted)
    assert 1 <= float(failed[1]) <= 2
    assert 'posters_model_loads_total{outcome="loaded"} 4.0' in counted
    metadata = f"{server.url}/v1/models/posters/metadata"
    assert requests.get(metadata, headers=HEADERS, timeout=60).status_code == 200


def test_requests_in_progress_end_before_the_server_does(server):
    """The last test here, because it ends the server."""
    body = json.dumps({"instances": BODY["instances"] * 250})
    address = urllib.parse.urlsplit(server.url).netloc
    client = http.client.HTTPConnection(address, timeout=60)
    # It says that it waits for the body when it has begun with the request.
    headers = {**HEADERS, "Expect": "100-continue", "Content-Type": "application/json"}
    client.request("POST", "/v1/models/posters:predict", body, headers)
    with http.client.HTTPResponse(client.sock, method="POST") as answer:
        assert answer.fp.readline() == b"HTTP/1.1 100 Continue\r\n"
        server.process.terminate()
        assert answer.fp.readline() == b"\r\n"
        answer.begin()
        assert answer.status == 200
        assert len(json.load(answer)["predictions"]) == 250
    assert server.process.wait(60) == 0
