"""The image of the data nodes, built without docker and used as its own user: see `bare_image`."""

import re
import subprocess

import pytest

from tests import bare_image
from tests.bare_image import ROOT, BareImage

WHY_NOT = bare_image.why_not()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(WHY_NOT), reason=f"no image can be built here: {WHY_NOT}"),
]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image")
    yield BareImage(ROOT / "docker" / "Dockerfile.cpu", folder)
    # pytest keeps what three sessions left, and this is 4 GB in 100,000 files.
    subprocess.run(["rm", "-r", str(folder)], check=True)


def test_doctor_finds_nothing_to_mend(image):
    done = image.run("posters", "doctor", "--config", "sample")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 to mend" in done.stdout
    assert "bytecode                   compiled" in done.stdout


def test_nodes_and_workers_import(image):
    modules = "apache_beam.runners.worker.sdk_worker_main, pipeline.dag, pipeline.node"
    modules += ", tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor"
    done = image.run("python", "-c", f"import {modules}; print(pipeline.__file__)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "/opt/code/pipeline/__init__.py"


def test_user_may_write_where_work_is_kept_and_nowhere_else(image):
    drawn = image.run("posters", "sample", "--out", "sample", "--count", "3")
    assert drawn.returncode == 0, drawn.stderr
    assert (image.root / "home/posters/sample/MovieGenre.csv").is_file()
    assert image.run("touch", "/gcs/x", "/minio/x", "/s3/x", "/var/cache/tfhub/x").returncode == 0
    for folder in ("/opt/code/x", "/opt/posters/bin/x", "/usr/local/bin/x"):
        assert "Permission denied" in image.run("touch", folder).stderr


def test_entry_point_tells_workers_from_commands(image):
    boot = image.root / "opt/apache/beam/boot"
    boot.parent.mkdir(parents=True)
    boot.write_text('#!/bin/sh\necho "boot $*"\n')
    boot.chmod(0o755)
    worker = image.run("posters-entrypoint", "--id=1-1", "--provision_endpoint=localhost:1")
    assert worker.stdout == "boot --id=1-1 --provision_endpoint=localhost:1\n"
    # What the real one asks first, and gives up without.
    assert image.run("python", "-m", "pip", "show", "apache-beam").returncode == 0
    assert image.run("posters-entrypoint", "posters", "--version").stdout.startswith("posters 0.")


def test_nothing_of_the_build_is_left(image):
    assert not (image.root / "source").exists()
    left = {path.name for path in (image.root / "root").iterdir()}
    assert left <= {".bashrc", ".profile"}
    assert image.run("sh", "-c", "command -v cc c++ gcc uv").stdout == ""
    assert image.run("python", "-c", "import pytest").returncode == 1


def test_size_is_within_what_the_documentation_grants(image):
    text = (ROOT / "docs" / "images.md").read_text()
    [budget] = re.findall(r"^\| `posters-cpu` .*\| ([\d.]+) GB \|$", text, re.MULTILINE)
    assert 3000 < image.megabytes("/opt") < float(budget) * 1000
