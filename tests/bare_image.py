"""Carries a Dockerfile of this project out without docker: in bare root file systems, by chroot.

Debian's debootstrap makes what the base image is made of, and this machine's Python 3.10 goes to
where that image has its own. Every COPY and RUN of the Dockerfile is done as it is written, with
this machine's package mirrors and uv's cache of downloads. Needs root. What it cannot show: that
docker reads the Dockerfile the same way, and what lies in the images of others.

`python -m tests.bare_image docker/Dockerfile.gpu` prints how large an image becomes.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests import dockerfile

ROOT = Path(__file__).resolve().parents[1]
#: Libraries that Python's own modules are linked to; the base image has them too.
LIBRARIES = "ca-certificates,libbz2-1.0,libexpat1,libffi8,liblzma5,libncursesw6,libreadline8"
LIBRARIES += ",libsqlite3-0,libssl3,libuuid1,zlib1g"
#: What docker gives a process that no ENV tells otherwise.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Mounts what any container has, then what is asked for (pairs of a source and a target), and
#: enters. The mounts are gone with the process, however it ends.
ENTER = """
root=$1
shift
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
    if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$root${2%/*}"; touch "$root$2"; fi
    mount --bind "$1" "$root$2"
    shift 2
done
shift
exec chroot "$@"
"""


def why_not() -> str:
    """Why no image can be built on this machine, or an empty string."""
    if os.geteuid() != 0:
        return "only root may make a root file system"
    if missing := [name for name in ("debootstrap", "unshare") if not shutil.which(name)]:
        return f"{' and '.join(missing)} not installed"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        return "nothing may be mounted here"
    if not _mirror():
        return "this system's packages are not Debian's"
    if Path(sys.base_prefix) == Path("/usr"):
        return "this Python is the system's own, which cannot be taken elsewhere"
    return ""


class BareImage:
    """The image that a Dockerfile describes, as a folder.

    Attributes:
      root: the root file system of the last stage.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self._roots: dict[str, Path] = {}
        self._places: dict[Path, str] = {}
        base = folder / "base"
        _make_base(base)
        for number, stage in enumerate(dockerfile.read(path)):
            if stage.base in self._roots:
                root = self._roots[stage.base]
            elif stage.base.startswith("python:"):
                root = folder / f"stage-{number}"
                subprocess.run(["cp", "--archive", str(base), str(root)], check=True)
            else:
                continue  # another's image is out of reach: what is copied from it is left out
            self._roots[stage.name] = self.root = root
            for step in stage.instructions:
                self._do(step, root)
            self._image = stage

    def run(self, *command: str) -> subprocess.CompletedProcess:
        """Runs a command as the image's user, in its environment and working folder."""
        [user] = self._image.all("USER")
        place = self._places[self.root]
        environment = {
            name: value.replace("$PATH", PATH) for name, value in self._image.environment().items()
        }
        return _enter(self.root, place, command, environment, options=(f"--userspec={user.text}",))

    def megabytes(self, path: str) -> int:
        """What a folder of the image takes on disk, in units of 1,000,000 bytes."""
        command = ["du", "--summarize", "--block-size=1MB", str(self.root / path.lstrip("/"))]
        return int(subprocess.check_output(command, text=True).split()[0])

    def _do(self, step: dockerfile.Instruction, root: Path) -> None:
        place = self._places.get(root, "/")
        if step.name == "WORKDIR":
            self._places[root] = step.text
            (root / step.text.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif step.name == "COPY" and (source := step.flag("from")):
            if source in self._roots:  # moved: what is copied from a stage is its last use
                path, target = step.words
                shutil.move(self._roots[source] / path.lstrip("/"), root / target.lstrip("/"))
        elif step.name == "COPY":
            *paths, target = step.words
            for path in paths:
                _copy(ROOT / path, root / f"{place}/{target}".lstrip("/"))
        elif step.name == "RUN":
            environment, mounts = _build_environment(), _mounts(step)
            done = _enter(root, place, ("sh", "-c", step.text), environment, mounts)
            if done.returncode:
                raise RuntimeError(f"{step.text}\n{done.stdout}{done.stderr}")


def _enter(
    root: Path,
    place: str,
    command: Sequence[str],
    environment: dict[str, str],
    mounts: Sequence[str] = (),
    options: Sequence[str] = (),
) -> subprocess.CompletedProcess:
    variables = [f"{name}={value}" for name, value in {"PATH": PATH, **environment}.items()]
    inside = ["env", "-i", *variables, "sh", "-c", 'cd "$0" && exec "$@"', place, *command]
    return subprocess.run(
        [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", ENTER, "sh"),
            *(str(root), *mounts, "--", *options, str(root), *inside),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=800,
    )  # fmt: skip


def _make_base(root: Path) -> None:
    """Makes what `python:3.10-slim` is: a bare system, and Python below /usr/local with its pip."""
    release, address = _mirror()
    proxy = _ask("apt-config", "shell", "p", "Acquire::http::Proxy").partition("=")[2].strip("'")
    command = ["debootstrap", "--variant=minbase", f"--include={LIBRARIES}", release]
    subprocess.run(
        [*command, str(root), address],
        env={**os.environ, **({"http_proxy": proxy} if proxy else {})},
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=300,
    )
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    here, there = Path(sys.base_prefix), root / "usr/local"
    # Its bytecode comes along: every process in here would make it anew, and is not to keep it.
    left_out = shutil.ignore_patterns("site-packages", "test")
    for name in (f"lib/{version}", f"include/{version}"):
        shutil.copytree(here / name, there / name, symlinks=True, ignore=left_out)
    for path in (here / "bin" / version, *here.glob("lib/libpython*")):
        shutil.copy2(path, there / path.relative_to(here), follow_symlinks=False)
    for name in ("python", "python3"):
        (there / "bin" / name).symlink_to(version)
    for step in (("ldconfig",), (version, "-m", "ensurepip")):
        _enter(root, "/", step, {}).check_returncode()


def _mirror() -> tuple[str, str] | None:
    """This machine's own release of Debian and where it takes its packages from, if it is one.

    The release must be this machine's: its Python is linked to that release's libraries.
    """
    os_release = Path("/etc/os-release").read_text().splitlines()
    release = dict(line.split("=", 1) for line in os_release if "=" in line).get("VERSION_CODENAME")
    if not shutil.which("apt-get"):
        return None
    for line in _ask("apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)").splitlines():
        if line.split()[0] == release:
            return release, line.split()[1]
    return None


def _ask(*command: str) -> str:
    return subprocess.check_output(command, text=True).strip()


def _build_environment() -> dict[str, str]:
    """What a build sees: nothing of this machine but how it reaches packages."""
    ours = ("UV_CACHE_DIR", "UV_PYTHON")
    passed = {
        name: value
        for name, value in os.environ.items()
        if (name.startswith(("PIP_", "UV_")) and not name.startswith(ours))
        or name.lower().endswith("_proxy")
    }
    return {"HOME": "/root", **passed}


def _mounts(step: dockerfile.Instruction) -> list[str]:
    """What a RUN sees of this machine: pairs of a source and a target."""
    uv = _ask(str(ROOT / "scripts" / "get-uv"))
    sources = {
        "cache": _ask(uv, "cache", "dir"),
        "pip.conf": "/etc/pip.conf",
        "certificates": "/etc/ssl/certs/ca-certificates.crt",
    }
    pairs = [("/etc/resolv.conf", "/etc/resolv.conf"), ("/etc/hosts", "/etc/hosts")]
    pairs += [(sources[mount.get("id", mount["type"])], mount["target"]) for mount in step.mounts()]
    return [path for pair in pairs if Path(pair[0]).exists() for path in pair]


def _copy(source: Path, target: Path) -> None:
    """COPY's way: a folder's content goes to the target, a file into it if it is a folder."""
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def main() -> None:
    """Prints what each folder of an image takes, in megabytes."""
    parser = argparse.ArgumentParser(description="how large an image becomes")
    parser.add_argument("dockerfile", type=Path)
    options = parser.parse_args()
    if reason := why_not():
        sys.exit(reason)
    with tempfile.TemporaryDirectory() as folder:
        image = BareImage(options.dockerfile, Path(folder))
        for path in ("/opt/posters", "/opt/code", "/opt"):
            print(f"{path:<14}{image.megabytes(path):6d} MB")


if __name__ == "__main__":
    main()
