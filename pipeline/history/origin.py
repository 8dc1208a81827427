"""What a run is made of besides data: code, settings, and who started it where.

It is kept with the run in ML Metadata; a model's lineage quotes it.
"""

from __future__ import annotations

import getpass
import json
import platform
import subprocess
from pathlib import Path

import pipeline
from pipeline.config import Config

#: Names under which it is kept, as custom properties of the run's context.
PACKAGE, COMMIT, CHANGED, PYTHON = "package_version", "git_commit", "git_changed", "python_version"
USER, MACHINE, SETTINGS = "user", "machine", "settings"
_GIT_SECONDS = 10


def describe(config: Config) -> dict[str, str]:
    """What is kept with a run.

    Args:
      config: the run's; it holds no secret, see `pipeline.secrets`.

    Returns:
      By name; `git_commit` and `git_changed` are absent where the code is in no git checkout.
    """
    found = {
        PACKAGE: pipeline.__version__,
        PYTHON: platform.python_version(),
        USER: getpass.getuser(),
        MACHINE: platform.node(),
        SETTINGS: json.dumps(config.model_dump(mode="json"), ensure_ascii=False),
    }
    source = Path(pipeline.__file__)
    # In an environment inside someone's checkout, that checkout's commit would tell nothing.
    if _git(source, "ls-files", "--error-unmatch", source.name) is None:
        return found
    commit = _git(source, "rev-parse", "HEAD")
    if commit:
        changed = _git(source, "status", "--porcelain", "--untracked-files=no")
        found |= {COMMIT: commit, CHANGED: "yes" if changed else "no"}
    return found


def _git(source: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(source.parent), *arguments],
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None  # no git, or no checkout
    return done.stdout.strip()
