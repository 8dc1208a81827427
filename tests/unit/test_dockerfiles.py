"""The Dockerfiles, as text: `tests/integration/test_images.py` carries them out."""

import re
import subprocess

import pytest

from tests import dockerfile
from tests.bare_image import ROOT

DOCKERFILES = sorted((ROOT / "docker").glob("Dockerfile.*"))
SCRIPTS = ("scripts/install-packages", "scripts/install-code")


@pytest.fixture(params=DOCKERFILES, ids=lambda path: path.name)
def stages(request):
    return dockerfile.read(request.param)


def locked_version(package: str) -> str:
    lock = (ROOT / "requirements" / "lock.txt").read_text()
    return re.search(rf"^{package}==(\S+)", lock, re.MULTILINE)[1]


def test_there_is_one_for_data_and_one_for_training():
    assert [path.name for path in DOCKERFILES] == ["Dockerfile.cpu", "Dockerfile.gpu"]


def test_bases_are_pinned(stages):
    earlier = set()
    for stage in stages:
        exact = re.fullmatch(
            r"[\w./-]+:[\w.-]*\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?", stage.base
        )
        assert stage.base in earlier or exact, stage.base
        assert "latest" not in stage.base
        earlier.add(stage.name)


def test_worker_boots_the_beam_that_is_installed():
    [beam] = [stage for stage in dockerfile.read(DOCKERFILES[0]) if stage.name == "beam"]
    assert beam.base == f"apache/beam_python3.10_sdk:{locked_version('apache-beam')}"


def test_only_the_shared_scripts_install(stages):
    *built, image = stages
    steps = [step.words for stage in built for step in stage.all("RUN")]
    assert [words[0] for words in steps] == [*SCRIPTS]
    for name in steps[0][2:]:
        assert (ROOT / "requirements" / f"{name}.txt").is_file()
    for step in image.all("RUN"):
        assert not re.search(r"(^|[\s;&])(apt|apt-get|pip|uv|curl|wget)\s", step.text), step.text


def test_training_has_the_cuda_libraries_besides():
    cpu, gpu = (
        step.words
        for path in DOCKERFILES
        for stage in dockerfile.read(path)
        for step in stage.all("RUN")
        if step.words[0] == SCRIPTS[0]
    )
    assert gpu == [*cpu, "cuda"]


def test_what_is_copied_is_in_the_repository_and_in_the_context(stages):
    tracked = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [
        path
        for stage in stages
        for step in stage.all("COPY")
        if not step.flag("from")
        for path in step.words[:-1]
    ]
    assert {"components", "pipeline", "requirements", "scripts", "setup.py"} <= set(copied)
    for path in copied:
        assert any(f"{name}/".startswith(f"{path}/") for name in tracked), path
        assert f"!{path}" in ignore
    assert ignore[1] == "*"  # what is not named stays out: history, data, keys


def test_image_takes_no_build_tool_along(stages):
    image = stages[-1]
    from_stages = [step.words[0] for step in image.all("COPY") if step.flag("from")]
    assert set(from_stages) <= {"/opt/apache/beam", "/opt/code", "/opt/posters"}
    assert image.base.startswith("python:3.10.")
    for step in image.all("RUN"):
        assert not step.flags


def test_user_is_not_root(stages):
    image = stages[-1]
    [user] = image.all("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user.text)
    after = image.instructions[image.instructions.index(user) :]
    assert not {"RUN", "COPY"} & {step.name for step in after}


def test_environment_is_what_the_code_needs_and_names_no_place(stages):
    environment = stages[-1].environment()
    assert {"HOME", "PATH", "PYTHONPATH", "PYTHONUNBUFFERED", "TFHUB_CACHE_DIR"} <= set(environment)
    for stage in stages:
        for step in stage.all("ENV") + stage.all("ARG"):
            assert "://" not in step.text
            assert not re.search("PASSWORD|TOKEN|SECRET|INDEX", step.text)


def test_both_images_hold_the_same_code():
    cpu, gpu = (
        {stage.name: stage.instructions for stage in dockerfile.read(path)} for path in DOCKERFILES
    )
    assert cpu["code"] == gpu["code"]


def test_reader_of_dockerfiles(tmp_path):
    (tmp_path / "Dockerfile").write_text(
        "# a comment\nARG BASE=x:1.2.3\nFROM ${BASE} AS one\n"
        "RUN --mount=type=cache,target=/c \\\n    # why\n    do this\n"
        'FROM one\nCOPY --from=one /a /b\nENV A=1 \\\n    B="2 3"\nCMD ["c", "d"]\n'
    )
    one, last = dockerfile.read(tmp_path / "Dockerfile")
    assert (one.name, one.base, last.name, last.base) == ("one", "x:1.2.3", "", "one")
    assert one.instructions[0].mounts() == [{"type": "cache", "target": "/c"}]
    assert one.instructions[0].words == ["do", "this"]
    assert last.all("COPY")[0].flag("from") == "one"
    assert last.environment() == {"A": "1", "B": "2 3"}
    assert last.all("CMD")[0].words == ["c", "d"]
