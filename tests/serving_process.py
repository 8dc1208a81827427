"""`posters serve` as a process of its own, for tests and benches."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import requests

_ROOT = Path(__file__).parents[1]


class ServerProcess:
    """A server on a free port; a context manager that stops it.

    Attributes:
      url: its address, `http://127.0.0.1:<port>`.
      lines: what it printed.
    """

    def __init__(self, models: Path, *settings: str, arguments: tuple[str, ...] = ()) -> None:
        command = [sys.executable, "-m", "pipeline.cli.main", "serve", "--config", "sample"]
        command += ["--model", str(models), "--port", "0", *arguments]
        command += [f"--set=serve.{setting}" for setting in settings]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=_ROOT,
        )
        self.lines: list[str] = []
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.match(r"(http://\S+)/v1/models/", line):
                self.url = found[1]
                break
        else:
            raise RuntimeError("".join(self.lines))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        self.lines.extend(self.process.stdout)

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)
        self._reader.join()

    @property
    def resident_bytes(self) -> int:
        return psutil.Process(self.process.pid).memory_info().rss

    def predict(self, *images: bytes, **more: Any) -> requests.Response:
        """Asks about images, by row."""
        body = {"instances": [b64(image) for image in images], **more}
        return requests.post(f"{self.url}/v1/models/posters:predict", json=body, timeout=60)


def b64(content: bytes) -> dict[str, str]:
    """Bytes in TensorFlow Serving's JSON."""
    return {"b64": base64.b64encode(content).decode()}
