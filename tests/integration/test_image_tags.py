"""`make images`, with a stand-in for docker: what it would build, under which names."""

import shutil
import subprocess

import pytest

from components import __version__
from tests.bare_image import ROOT
from tests.integration.test_setup import write_script


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "checkout"
    for name in ("scripts", "docker", "components"):
        ignored = shutil.ignore_patterns("__pycache__", "sample")
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    write_script(tmp_path / "bin" / "docker", f'#!/bin/sh\necho "$*" >>{tmp_path}/calls\n')
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "all")
    return root


def git(root, *arguments: str) -> str:
    return subprocess.check_output(["git", *arguments], cwd=root, text=True).strip()


def build(root, **variables: str) -> tuple[int, list[str], str, list[str]]:
    done = subprocess.run(
        [root / "scripts" / "images"],
        env={"PATH": f"{root.parent / 'bin'}:/usr/bin:/bin", "HOME": str(root.parent), **variables},
        capture_output=True,
        text=True,
    )
    calls = root.parent / "calls"
    made = calls.read_text().splitlines() if calls.exists() else []
    return done.returncode, done.stdout.splitlines(), done.stderr, made


def test_images_are_tagged_with_version_and_commit(checkout):
    status, images, errors, calls = build(checkout)
    assert status == 0, errors
    tag = f"{__version__}-{git(checkout, 'rev-parse', '--short=12', 'HEAD')}"
    assert images == [f"posters-cpu:{tag}", f"posters-gpu:{tag}"]
    for kind, image, call in zip(("cpu", "gpu"), images, calls, strict=True):
        assert call.startswith(f"build --file docker/Dockerfile.{kind} --tag {image} ")
        assert call.endswith(" .")
        assert "latest" not in call


def test_registry_bases_and_mirror_are_taken_from_the_environment(checkout, tmp_path):
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\n")
    _, images, _, calls = build(
        checkout,
        IMAGES="registry.example/team/",
        PYTHON_IMAGE="mirror.example/python@sha256:0",
        PIP_CONFIG_FILE=str(settings),
    )
    assert all(image.startswith("registry.example/team/posters-") for image in images)
    for call in calls:
        assert "--build-arg PYTHON_IMAGE=mirror.example/python@sha256:0" in call
        assert f"--secret id=pip.conf,src={settings}" in call
        assert "BEAM_IMAGE" not in call


def test_uncommitted_changes_get_no_tag_of_a_commit(checkout):
    (checkout / "scripts" / "new").write_text("")
    status, images, errors, calls = build(checkout)
    assert (status, images, calls) == (1, [], [])
    assert "commit or stash" in errors
