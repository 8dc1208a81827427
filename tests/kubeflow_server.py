"""Kubeflow Pipelines' HTTP API on this machine: what `pipeline.services.kubeflow` asks of it."""

from __future__ import annotations

import contextlib
import json
import threading
import urllib.parse
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_API = "/apis/v2beta1"


class FakeKubeflow:
    """What the API was asked, and how it answers.

    Attributes:
      address: of the API.
      runs: by id, as created.
      recurring_runs: by id, as created.
      requests: method, path and headers of each.
      failures: statuses and messages to answer first, oldest first, and do nothing.
      lose_next: method of the request that is carried out, and its answer lost.
      login_page: whether everything leads to a page to log in.
      details: what a run's answer has besides what was sent.
    """

    def __init__(self) -> None:
        self.address = ""
        self.runs: dict[str, dict[str, Any]] = {}
        self.recurring_runs: dict[str, dict[str, Any]] = {}
        self.experiments: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.failures: list[tuple[int, str]] = []
        self.lose_next: str | None = None
        self.login_page = False
        self.details: dict[str, Any] = {"state": "PENDING"}

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        if path == f"{_API}/experiments":
            return self._experiments(method, query, body)
        if path == f"{_API}/runs":
            return self._runs(method, query, body)
        if path.startswith(f"{_API}/recurringruns"):
            return self._recurring(method, path.rpartition("recurringruns")[2][1:], query, body)
        if method == "GET" and path.startswith(f"{_API}/runs/"):
            run = self.runs.get(path.rpartition("/")[2])
            return run and {**run, **self.details}
        return None

    def _experiments(self, method: str, query: dict[str, str], body: Any) -> Any:
        if method == "POST":
            made = {**body, "experiment_id": f"experiment-{len(self.experiments) + 1}"}
            self.experiments[made["experiment_id"]] = made
            return made
        return {"experiments": _matching(self.experiments, query)}

    def _runs(self, method: str, query: dict[str, str], body: Any) -> Any:
        if method == "POST":
            made = {**body, "run_id": f"run-{len(self.runs) + 1}"}
            self.runs[made["run_id"]] = made
            return {**made, **self.details}
        return {"runs": _matching(self.runs, query)}

    def _recurring(self, method: str, rest: str, query: dict[str, str], body: Any) -> Any:
        if not rest and method == "POST":
            made = {**body, "recurring_run_id": f"recurring-{len(self.recurring_runs) + 1}"}
            made["status"] = f"{made['mode']}D"
            self.recurring_runs[made["recurring_run_id"]] = made
            return made
        if not rest:
            return self._page_of_recurring(query)
        identity, _, verb = rest.partition(":")
        if identity not in self.recurring_runs:
            return None
        if method == "DELETE":
            del self.recurring_runs[identity]
        else:
            self.recurring_runs[identity]["status"] = f"{verb.upper()}D"
        return {}

    def _page_of_recurring(self, query: dict[str, str]) -> Any:
        """Pages of two, whatever is asked for."""
        wanted = query["experiment_id"]
        found = [run for run in self.recurring_runs.values() if run["experiment_id"] == wanted]
        first = int(query.get("page_token") or 0)
        following = {"next_page_token": str(first + 2)} if first + 2 < len(found) else {}
        return {"recurringRuns": found[first : first + 2], **following}


def _matching(things: dict[str, dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    (predicate,) = json.loads(query["filter"])["predicates"]
    assert (predicate["operation"], predicate["key"]) == ("EQUALS", "name")
    return [thing for thing in things.values() if thing["display_name"] == predicate["stringValue"]]


@contextlib.contextmanager
def serving() -> Iterator[FakeKubeflow]:
    """Serves until the block ends."""
    kubeflow = FakeKubeflow()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._handle("GET")

        def do_DELETE(self) -> None:
            self._handle("DELETE")

        def do_POST(self) -> None:
            self._handle("POST")

        def _handle(self, method: str) -> None:
            address = urllib.parse.urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            kubeflow.requests.append((method, address.path, dict(self.headers)))
            if kubeflow.login_page:
                self._send_to_login(address.path)
                return
            if kubeflow.failures:
                status, message = kubeflow.failures.pop(0)
                self._send(status, {"error": message, "message": message, "code": 0})
                return
            query = dict(urllib.parse.parse_qsl(address.query))
            answer = kubeflow.answer(method, address.path, query, body)
            if kubeflow.lose_next == method:
                kubeflow.lose_next = None
                self._send(HTTPStatus.GATEWAY_TIMEOUT, {"message": "timeout"})
            elif answer is None:
                self._send(HTTPStatus.NOT_FOUND, {"message": f"{address.path} not found"})
            else:
                self._send(HTTPStatus.OK, answer)

        def _send_to_login(self, path: str) -> None:
            self.send_response(HTTPStatus.OK if path == "/login" else HTTPStatus.FOUND)
            self.send_header("Location", "/login")
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _send(self, status: int, content: Any) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    kubeflow.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield kubeflow
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
