"""scripts/setup and its helpers, with a stand-in for uv: what they find, do, skip and refuse."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: All that set-up asks of a bare system.
COMMANDS = ["bash", "cat", "chmod", "cut", "dirname", "env", "flock", "getconf", "grep", "head"]
COMMANDS += [
    "ln",
    "ls",
    "mkdir",
    "mv",
    "rm",
    "sed",
    "sh",
    "sha256sum",
    "sleep",
    "sort",
    "tail",
    "touch",
]
COMMANDS += ["uname"]

#: Does to .venv what uv would, and writes down how it was called.
FAKE_UV = """#!/bin/sh
echo "$*" >>"$UV_LOG"
case "$*" in
  --version) echo "uv 99.0.0 (stand-in)" ;;
  venv*)
    sleep 0.2
    for prefix; do :; done
    mkdir -p "$prefix/bin"
    touch "$prefix/pyvenv.cfg"
    ln -s "$UV_PYTHON_TO_LINK" "$prefix/bin/python" ;;
  "pip sync"*) command -v c++ >>"$UV_LOG"; exit "${UV_SYNC_STATUS:-0}" ;;
  *--editable*) touch .venv/bin/posters; chmod +x .venv/bin/posters ;;
  *--target*) mkdir -p .tools/ziglang ;;
  "python install"*) echo "no network" >&2; exit 1 ;;
esac
"""


def write_script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


class Checkout:
    """A copy of what set-up reads, and a PATH that holds the named commands and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.bin = folder / "bin"
        self.log = folder / "uv.log"
        self.root.mkdir()
        self.bin.mkdir()
        for name in ("scripts", "requirements"):
            shutil.copytree(ROOT / name, self.root / name)
        shutil.copy(ROOT / "setup.py", self.root)
        for command in COMMANDS:
            (self.bin / command).symlink_to(shutil.which(command))
        write_script(self.bin / "c++", "#!/bin/sh\nexit 0\n")
        write_script(self.bin / "cc", "#!/bin/sh\nexit 0\n")
        write_script(self.bin / "uv", FAKE_UV)
        self.environment = {
            "HOME": str(folder / "home"),
            "PATH": str(self.bin),
            "UV_LOG": str(self.log),
            "UV_PYTHON_TO_LINK": sys.executable,
            "POSTERS_PYTHON": sys.executable,
        }

    def start(self, script: str = "setup", *arguments: str, **variables: str) -> subprocess.Popen:
        return subprocess.Popen(
            [self.root / "scripts" / script, *arguments],
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, script: str = "setup", *arguments: str, **variables: str) -> tuple[int, str, str]:
        process = self.start(script, *arguments, **variables)
        output, errors = process.communicate(timeout=120)
        return process.returncode, output, errors

    def calls(self) -> list[str]:
        """How uv was called since the last look."""
        calls = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return calls


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def made_environments(calls: list[str]) -> int:
    return sum(call.startswith("venv") for call in calls)


def test_setup_installs_the_lock_and_this_package(checkout):
    status, output, errors = checkout.run()
    assert (status, output) == (0, ""), errors
    assert "installed in" in errors
    calls = checkout.calls()
    [sync] = [call for call in calls if call.startswith("pip sync")]
    assert "--require-hashes" in sync
    assert sync.endswith(" requirements/lock.txt requirements/development.txt")
    assert any("--no-deps" in call and call.endswith("--editable .") for call in calls)


def test_setup_again_does_nothing_and_is_silent(checkout):
    checkout.run()
    checkout.calls()
    assert checkout.run() == (0, "", "")
    assert checkout.calls() == []


def test_changed_lock_updates_the_environment(checkout):
    checkout.run()
    checkout.calls()
    with (checkout.root / "requirements" / "lock.txt").open("a") as lock:
        lock.write("# changed\n")
    assert checkout.run()[0] == 0
    calls = checkout.calls()
    assert made_environments(calls) == 0
    assert any(call.startswith("pip sync") for call in calls)
    assert checkout.run() == (0, "", "")


def test_code_goes_where_an_image_wants_it(checkout):
    prefix = checkout.root.parent / "image"
    assert checkout.run("install-code", str(prefix))[0] == 1
    assert checkout.run("install-packages", str(prefix), "lock", "cuda")[0] == 0
    [sync] = [call for call in checkout.calls() if call.startswith("pip sync")]
    assert sync.endswith(" requirements/lock.txt requirements/cuda.txt")
    status, _, errors = checkout.run("install-code", str(prefix), "--target", "/opt/code")
    assert status == 0, errors
    [call] = [call for call in checkout.calls() if call.startswith("pip install")]
    assert f"--python {prefix}/bin/python " in call
    assert "--no-deps" in call
    assert call.endswith(" --target /opt/code .")


def test_folder_that_is_no_environment_is_left_alone(checkout):
    folder = checkout.root.parent / "precious"
    folder.mkdir()
    (folder / "data").write_text("kept")
    status, _, errors = checkout.run("install-packages", str(folder), "lock")
    assert status == 1
    assert f"{folder} holds something that is no Python environment" in errors
    assert (folder / "data").read_text() == "kept"


def test_unknown_lock_is_named(checkout):
    status, _, errors = checkout.run("install-packages", str(checkout.root / "x"), "locks")
    assert status == 1
    assert "there is no lock requirements/locks.txt" in errors


def test_interrupted_setup_starts_over(checkout):
    status, _, errors = checkout.run(UV_SYNC_STATUS="2")
    assert status != 0
    assert "run again" in errors
    checkout.calls()
    assert checkout.run()[0] == 0
    assert made_environments(checkout.calls()) == 1
    assert checkout.run() == (0, "", "")


def test_moved_checkout_gets_a_new_environment(checkout):
    checkout.run()
    checkout.calls()
    checkout.root = checkout.root.rename(checkout.root.with_name("elsewhere"))
    assert checkout.run()[0] == 0
    assert made_environments(checkout.calls()) == 1


def test_two_setups_at_once_do_the_work_once(checkout):
    both = [checkout.start(), checkout.start()]
    errors = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    assert made_environments(checkout.calls()) == 1


def test_compiler_is_brought_where_there_is_none(checkout):
    (checkout.bin / "c++").unlink()
    status, _, errors = checkout.run()
    assert status == 0, errors
    assert "no C++ compiler here" in errors
    calls = checkout.calls()
    [fetch] = [call for call in calls if "--target" in call]
    assert "--require-hashes" in fetch
    assert any(call.endswith(".tools/ziglang/compilers/c++") for call in calls)


def test_shim_that_does_not_run_is_passed_over(checkout):
    write_script(checkout.bin / "python3.10", "#!/bin/sh\necho 'not selected' >&2\nexit 127\n")
    pyenv = checkout.bin.parent / "pyenv"
    good = pyenv / "versions" / "3.10.99" / "bin" / "python"
    write_script(good, f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    # A pattern for 3.10 must not take 3.100, nor a newer Python that is first in the list.
    write_script(pyenv / "versions" / "3.100" / "bin" / "python", "#!/bin/sh\necho usable\n")
    status, output, _ = checkout.run("find-python", POSTERS_PYTHON="", PYENV_ROOT=str(pyenv))
    assert (status, output.strip()) == (0, str(good))


def test_named_python_that_is_wrong(checkout):
    wrong = write_script(checkout.bin / "python", "#!/bin/sh\necho is cpython 3.13\n")
    status, _, errors = checkout.run(POSTERS_PYTHON=str(wrong))
    assert status == 1
    assert f"POSTERS_PYTHON={wrong} is cpython 3.13" in errors
    assert not (checkout.root / ".venv").exists()


def test_no_python_and_no_network(checkout):
    usual = checkout.run("find-python", POSTERS_PYTHON="")[1].strip()
    if usual:
        pytest.skip(f"this machine has {usual} in a place that is always looked at")
    write_script(checkout.bin / "python3.10", "#!/bin/sh\nexit 127\n")
    status, _, errors = checkout.run(POSTERS_PYTHON="")
    assert status == 1
    assert f"passed over {checkout.bin}/python3.10: it does not run" in errors
    assert "no Python 3.10 here" in errors
    assert "POSTERS_PYTHON=" in errors
    assert not (checkout.root / ".venv").exists()


def test_no_uv_and_no_way_to_get_one(checkout):
    (checkout.bin / "uv").unlink()
    status, output, errors = checkout.run("get-uv", PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull)
    assert (status, output) == (1, "")
    for way_out in ("python3-pip", "python3-venv", "curl", "uv on PATH"):
        assert way_out in errors


def test_old_uv_is_not_taken(checkout):
    write_script(checkout.bin / "uv", "#!/bin/sh\necho uv 0.1.0\n")
    pinned = re.search(r"^uv==(\S+)", (ROOT / "requirements" / "uv.txt").read_text(), re.MULTILINE)
    newer = checkout.root / ".tools" / "uv" / "bin" / "uv"
    write_script(newer, f"#!/bin/sh\necho uv {pinned[1]}\n")
    assert checkout.run("get-uv")[1].strip() == str(newer)


@pytest.mark.parametrize("machine", ["Darwin arm64", "Linux aarch64"])
def test_other_platforms_are_refused(checkout, machine):
    (checkout.bin / "uname").unlink()
    write_script(checkout.bin / "uname", f"#!/bin/sh\necho {machine}\n")
    status, _, errors = checkout.run()
    assert status == 1
    assert f"this is {machine}" in errors


@pytest.mark.parametrize("answer", ["echo glibc 2.12", "exit 1"])
def test_other_libraries_are_refused(checkout, answer):
    (checkout.bin / "getconf").unlink()
    write_script(checkout.bin / "getconf", f"#!/bin/sh\n{answer}\n")
    status, _, errors = checkout.run()
    assert status == 1
    assert "glibc 2.17 or newer" in errors
