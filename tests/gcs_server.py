"""Google Cloud Storage on this machine: `python -m tests.gcs_server` prints its port and serves.

The emulator takes every write, whatever is there already. Ingest's claim asks for a generation, so
that one precondition is added here.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from http import HTTPStatus
from pathlib import Path

BUCKET = "posters"


def start() -> tuple[subprocess.Popen, str]:
    """The server's process, and what STORAGE_EMULATOR_HOST is set to."""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "tests.gcs_server"]
    server = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
    return server, f"http://127.0.0.1:{int(server.stdout.readline())}"


def skip_credentials() -> None:
    """Beam looks for credentials for twenty seconds where there are none."""
    from apache_beam.internal.gcp.auth import _Credentials

    _Credentials._credentials_init = True


def _checked(step, name_of):
    """A step of the emulator that heeds ifGenerationMatch."""
    from gcp_storage_emulator.exceptions import NotFound

    def run(request, response, storage, *rest, **options):
        if wanted := request.query.get("ifGenerationMatch"):
            try:
                found = storage.get_file_obj(request.params["bucket_name"], name_of(request))
                generation = found["generation"]
            except NotFound:
                generation = "0"
            if wanted != [generation]:
                response.status = HTTPStatus.PRECONDITION_FAILED
                return None
        return step(request, response, storage, *rest, **options)

    return run


def _serve() -> None:
    from gcp_storage_emulator.handlers import objects

    logging.disable(logging.CRITICAL)  # it warns at every request

    def in_path(request):
        return request.params["object_id"]

    # Before the server is imported, which makes a table of the steps.
    objects._multipart_upload = _checked(
        objects._multipart_upload, lambda request: request.data["meta"]["name"]
    )
    objects.delete = _checked(objects.delete, in_path)
    objects.download = _checked(objects.download, in_path)
    from gcp_storage_emulator.server import create_server

    with create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET) as server:
        print(server._api._httpd.server_address[1], flush=True)
        parent = os.getppid()
        while os.getppid() == parent:  # a test run that was killed leaves no server behind
            time.sleep(0.5)


if __name__ == "__main__":
    _serve()
