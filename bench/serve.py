"""What the server reaches of a bare forward loop, and what a client waits, with a swap half way.

    python -m bench.serve --model DIR --images DIR [--clients 16] [--seconds 60] [--repeats 2]

The bare loop passes batches of read images forward, one after the other, as TensorFlow is by
default. The side-by-side one does what the server does without a server around it: small batches in
several threads, a core each. Then `posters serve`, a process of its own, is asked by clients of one
connection each, on the same cores; half way through a second version is pushed. Prints one JSON
object a repeat.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import itertools
import json
import multiprocessing
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tensorflow as tf

from components.serving.batching import SMALL_BATCH, default_threads
from components.serving.model import ServedModel
from components.serving.settings import ServeSettings
from components.trainer import export

_PREDICT = "/v1/models/posters:predict"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; the exit status is 1 if a request failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.serve")
    parser.add_argument("--model", type=Path, required=True, help="a pushed version")
    parser.add_argument("--images", type=Path, required=True, help="a folder of images")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args(arguments)
    images = [path.read_bytes() for path in sorted(options.images.iterdir())[:500]]
    failed = 0
    for _ in range(options.repeats):
        bare = _alone(_bare, options.model, images, options.seconds / 4)
        side_by_side = _alone(_side_by_side, options.model, images, options.seconds / 4)
        figures = _served(options, images)
        failed += figures["failed"]
        rate = figures["images_a_second"]
        line = {
            "bare_images_a_second": round(bare, 1),
            "side_by_side_images_a_second": round(side_by_side, 1),
            **figures,
            "share_of_bare": round(rate / bare, 3),
            "share_of_side_by_side": round(rate / side_by_side, 3),
        }
        print(json.dumps(line), flush=True)
    return 1 if failed else 0


def _alone(loop: Callable, *arguments: Any) -> float:
    """A loop in a process of its own: TensorFlow's threads are set once a process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(loop, *arguments).result()


def _bare(folder: Path, images: Sequence[bytes], seconds: float) -> float:
    """Images a second of the model alone, in batches as large as the server's may be."""
    return _rate(ServedModel(folder), images, ServeSettings().max_batch_images, seconds)


def _side_by_side(folder: Path, images: Sequence[bytes], seconds: float) -> float:
    """Images a second of the model alone, asked as the server asks it under load."""
    tf.config.threading.set_intra_op_parallelism_threads(ServeSettings().intra_op_threads)
    model, threads = ServedModel(folder), default_threads()
    with ThreadPoolExecutor(threads) as pool:
        asking = [pool.submit(_rate, model, images, SMALL_BATCH, seconds) for _ in range(threads)]
        return sum(rate.result() for rate in asking)


def _rate(model: ServedModel, images: Sequence[bytes], size: int, seconds: float) -> float:
    endless = itertools.cycle(images)
    model.ask(export.SERVING_DEFAULT, list(itertools.islice(endless, size)))
    started, done = time.perf_counter(), 0
    while time.perf_counter() < started + seconds:
        done += len(
            model.ask(export.SERVING_DEFAULT, list(itertools.islice(endless, size)))["scores"]
        )
    return done / (time.perf_counter() - started)


def _served(options: argparse.Namespace, images: Sequence[bytes]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="posters-bench-") as name:
        models = Path(name) / "models"
        shutil.copytree(options.model, models / "1")
        shutil.copytree(options.model, models / ".push-2")
        command = [sys.executable, "-m", "pipeline.cli.main", "serve", "--config", "sample"]
        command += ["--model", str(models), "--port", "0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            address = server.stdout.readline().split("/")[2]
            swap = threading.Timer(
                options.seconds / 2, lambda: (models / ".push-2").rename(models / "2")
            )
            swap.start()
            started = time.perf_counter()
            answers = _ask_all(address, images, options.clients, options.seconds)
            seconds = time.perf_counter() - started
            swap.join()
            version = _version(address)
        finally:
            server.terminate()
            server.wait()
    waits = np.array([wait for status, wait in answers if status == 200]) * 1000
    return {
        "images_a_second": round(len(waits) / seconds, 1),
        "failed": len(answers) - len(waits),
        "p50_ms": round(float(np.percentile(waits, 50)), 1),
        "p99_ms": round(float(np.percentile(waits, 99)), 1),
        "version_at_the_end": version,
    }


def _ask_all(
    address: str, images: Sequence[bytes], clients: int, seconds: float
) -> list[tuple[int, float]]:
    """Status and seconds of every request; 0 for one without an answer."""
    endless, answers = itertools.cycle([_request(image) for image in images]), []
    end = time.perf_counter() + seconds
    threads = [
        threading.Thread(target=lambda: answers.extend(_ask(address, endless, end)))
        for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _request(image: bytes) -> bytes:
    body = json.dumps({"instances": [{"b64": base64.b64encode(image).decode()}]}).encode()
    head = f"POST {_PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _ask(address: str, requests: Iterator[bytes], end: float) -> list[tuple[int, float]]:
    """One client. It reads by hand: whatever a client costs, on these cores, the server lacks."""
    connection, answers = None, []
    while (started := time.perf_counter()) < end:
        try:
            if connection is None:
                connection = _connect(address)
            connection.write(next(requests))
            connection.flush()
            status = _read(connection)
        except (OSError, ValueError, IndexError):
            connection, status = None, 0
        answers.append((status, time.perf_counter() - started))
    return answers


def _connect(address: str) -> BinaryIO:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection.makefile("rwb")


def _read(connection: BinaryIO) -> int:
    """The status of an answer, once all of it is there."""
    head, line = [], connection.readline()
    while line.strip():
        head.append(line)
        line = connection.readline()
    (length,) = [int(line[15:]) for line in head if line.lower().startswith(b"content-length:")]
    if len(connection.read(length)) < length:
        raise ValueError("the answer ends early")
    return int(head[0].split()[1])


def _version(address: str) -> str:
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request("GET", "/readyz")
    return json.loads(connection.getresponse().read())["version"]


if __name__ == "__main__":
    sys.exit(main())
