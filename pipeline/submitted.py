"""What was submitted last, kept in the workspace: to compare the next job with, and to ask for."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from components.errors import PostersError
from components.files import write_text
from pipeline.config import Config


@dataclasses.dataclass(frozen=True)
class Submitted:
    """One submitted job.

    Attributes:
      run_id: what the service calls the run.
      job: the PipelineJob as JSON has it.
    """

    run_id: str
    job: dict[str, Any]


def write(config: Config, runner: str, submitted: Submitted) -> None:
    """Keeps what was submitted to a runner, in place of what was kept before."""
    content = json.dumps(dataclasses.asdict(submitted), indent=1, sort_keys=True)
    write_text(_path(config, runner), content + "\n")


def read(config: Config, runner: str) -> Submitted | None:
    """What was submitted last to a runner from this workspace, or None.

    Raises:
      PostersError: the file is damaged.
    """
    path = _path(config, runner)
    try:
        return Submitted(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise PostersError(
            f"{path} is no record of a submitted job ({error}): remove it. Nothing is lost but the "
            "comparison with that job; posters status then needs the run's name."
        ) from error


def _path(config: Config, runner: str) -> Path:
    return Path(config.workspace) / "submitted" / f"{runner}.json"
