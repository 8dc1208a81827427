"""The same ingest on runners whose workers are processes of their own."""

import os
import subprocess
import sys
import time

import pytest

from components.errors import PostersError
from components.ingest import IngestOptions, ingest
from components.store_path import StorePath
from tests import gcs_server
from tests.ingest_sources import (
    OPTIONS,
    ROOT,
    folder_content,
    make_source,
    store_content,
    write_json_lines,
)

PROCESSES = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
pytestmark = pytest.mark.usefixtures("worker_path")


@pytest.fixture
def worker_path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{os.environ.get('PYTHONPATH', '')}")


@pytest.fixture
def store(monkeypatch):
    process, address = gcs_server.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
    gcs_server.skip_credentials()
    yield StorePath(f"gs://{gcs_server.BUCKET}")
    process.terminate()
    process.wait()


@pytest.fixture
def portable(worker_path, tmp_path_factory):
    """Options for Beam's own job service: jobs come over the network, as Flink's and Spark's do."""

    def start():
        folder = tmp_path_factory.mktemp("service")
        port = folder / "port"
        command = [sys.executable, "-m", "apache_beam.runners.portability.local_job_service_main"]
        with (folder / "log").open("w") as log:
            service = subprocess.Popen(
                [*command, "--port_file", str(port), "--staging_dir", str(folder / "staging")],
                stdout=log,
                stderr=log,
            )
        services.append(service)
        while not port.exists():
            assert service.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
        return (
            "--runner=PortableRunner",
            f"--job_endpoint=localhost:{port.read_text()}",
            "--environment_type=beam:env:harness_subprocess_python:v1",
            f"--environment_config={sys.executable} -m tests.beam_worker",
        )

    services = []
    yield start
    for service in services:
        service.terminate()
        service.wait()


def test_workers_that_share_a_store_alone_write_the_same_bytes(tmp_path, store, portable):
    table, images, _ = make_source(tmp_path)
    for path in images.iterdir():
        (store / "images" / path.name).write_bytes(path.read_bytes())
    (store / "films.csv").write_bytes(table.read_bytes())
    here = ingest(table, images, tmp_path / "out", OPTIONS)
    calls = []
    there = ingest(
        f"{store}/films.csv",
        f"{store}/images",
        store / "data",
        OPTIONS,
        lambda *call: calls.append(call),
        beam_options=portable(),
    )
    assert store_content(there.folder) == folder_content(here.folder)
    assert calls == [(40, 40)]


def test_processes_that_share_a_folder_write_the_same_bytes(tmp_path):
    table, images, _ = make_source(tmp_path)
    one = ingest(table, images, tmp_path / "one", OPTIONS)
    several = ingest(table, images, tmp_path / "several", OPTIONS, beam_options=PROCESSES)
    assert folder_content(several.folder) == folder_content(one.folder)


@pytest.mark.parametrize("runner", ["portable", "processes"])
def test_what_a_worker_says_to_a_person_arrives(tmp_path, portable, runner, capfd):
    table = tmp_path / "films.jsonl"
    write_json_lines(table, [{"imdbId": "1", "Title": "", "Genre": "Drama", "url": "http://x/1"}])
    options = IngestOptions(url_column="url", download_cache="unheard://x", min_label_count=1)
    beam_options = portable() if runner == "portable" else PROCESSES
    with pytest.raises(PostersError) as caught:
        ingest(table, None, tmp_path / "out", options, beam_options=beam_options)
    assert str(caught.value).startswith("unheard://x/")
    assert str(caught.value).endswith("or install Beam's extra for it")
    assert not (tmp_path / "out").exists()
    if runner == "portable":  # the others share this process's error output
        assert "Traceback" not in capfd.readouterr().err
