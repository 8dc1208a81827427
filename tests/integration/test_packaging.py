"""The lock, the source archive and the wheel: complete, and harmless to an installed stack."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.stager import Stager
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("components", "configs", "pipeline", "schema")


def locked(name: str) -> dict[str, str]:
    """Versions by package, as one of the locks has them."""
    lock = (ROOT / "requirements" / f"{name}.txt").read_text()
    return {
        package.replace("_", "-").lower(): version
        for package, version in re.findall(r"(?m)^([^\s=]+)==(\S+)", lock)
    }


@pytest.mark.parametrize(("name", "least"), [("lock", 200), ("development", 5), ("cuda", 10)])
def test_lock_is_whole_and_names_no_place(name, least):
    lock = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert "make lock" in lock
    assert "://" not in lock
    assert " /" not in lock
    blocks = re.split(r"(?m)^(?=\S+==)", lock)[1:]
    assert len(blocks) >= least
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_package_stands_in_one_lock():
    names = [set(locked(name)) for name in ("lock", "development", "cuda")]
    assert len(set.union(*names)) == sum(map(len, names))


def test_production_goes_without_the_tools_of_development():
    assert not {"hypothesis", "pytest", "ruff"} & set(locked("lock"))


def test_cuda_lock_is_what_tensorflow_names():
    named = [Requirement(line) for line in metadata.requires("tensorflow")]
    assert locked("cuda") == {
        requirement.name: str(requirement.specifier).removeprefix("==")
        for requirement in named
        if "and-cuda" in str(requirement.marker)
    }


def test_lock_holds_the_declared_pins():
    versions = locked("lock") | locked("development") | locked("cuda")
    declared = [Requirement(line) for line in metadata.requires("poster-pipeline")]
    assert len(declared) > 20
    for requirement in declared:
        version = versions[requirement.name.replace("_", "-").lower()]
        assert requirement.specifier.contains(version), requirement


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The source archive that Beam's --setup_file makes, and a wheel built from that archive."""
    folder = tmp_path_factory.mktemp("build")
    source = folder / "source"
    ignore = shutil.ignore_patterns("__pycache__")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=ignore)
    for name in ("setup.py", "pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source)
    options = PipelineOptions([f"--setup_file={source / 'setup.py'}"])
    [staged] = Stager.create_job_resources(options, str(folder))
    [archive] = folder.glob("*.tar.gz")
    # Under this name a worker's boot program looks for what it is to install.
    assert staged.role_payload.endswith(b"workflow.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder / "unpacked")
    [unpacked] = (folder / "unpacked").iterdir()
    run_setup(unpacked, "bdist_wheel", "--dist-dir", str(folder))
    [wheel] = folder.glob("*.whl")
    return archive, wheel


def run_setup(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "setup.py", "--quiet", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)


def shipped_files() -> set[str]:
    """Everything that an installed package must have, by its path in the checkout."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*"))
    return {
        file.relative_to(ROOT).as_posix()
        for file in files
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_source_archive_holds_code_and_data(built):
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert shipped_files() <= names
    assert {"setup.py", "LICENSE"} <= names


def test_wheel_holds_code_and_data(built):
    with zipfile.ZipFile(built[1]) as wheel:
        assert shipped_files() <= set(wheel.namelist())


def test_installing_changes_no_version_of_the_stack(built):
    """What pip would install on a Beam worker is there already, in a version that it accepts."""
    with zipfile.ZipFile(built[1]) as wheel:
        [name] = [name for name in wheel.namelist() if name.endswith("METADATA")]
        lines = wheel.read(name).decode().splitlines()
    needed = [
        Requirement(line.removeprefix("Requires-Dist: "))
        for line in lines
        if line.startswith("Requires-Dist: ") and "extra ==" not in line
    ]
    assert {"numpy", "pydantic", "rich"} <= {requirement.name for requirement in needed}
    assert not {"tfx", "tensorflow"} & {requirement.name for requirement in needed}
    for requirement in needed:
        assert requirement.specifier.contains(metadata.version(requirement.name)), requirement


def test_command_runs_from_the_wheel(built, tmp_path):
    with zipfile.ZipFile(built[1]) as wheel:
        wheel.extractall(tmp_path / "installed")
        [name] = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
        assert "posters = pipeline.cli.main:command" in wheel.read(name).decode()
    code = (
        "import importlib.resources, pipeline, sys; print(pipeline.__file__);"
        "print(importlib.resources.files('configs').joinpath('sample.yaml').read_text());"
        "from pipeline.cli.main import main; sys.argv = ['posters', '--help']; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
    assert "workspace:" in done.stdout
    assert "usage: posters" in done.stdout
