"""The runs of a workspace, as their summaries tell of them; whole ones, failed ones, half ones."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.errors import PostersError
from pipeline import run_page
from pipeline.history import served
from pipeline.summary import FORMAT

#: What a run's folder is called: when it began, in UTC.
_RUN_ID = re.compile(r"^\d{8}T\d{6}\.\d{6}Z$")
_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
      folder: where it lies; its name is the run's id.
      summary: what `summary.json` says; empty if that cannot be read.
      problem: why it cannot, or None.
    """

    folder: Path
    summary: Mapping[str, Any]
    problem: str | None = None

    @property
    def id(self) -> str:
        """When it began."""
        return self.folder.name

    @property
    def status(self) -> str:
        """`pushed`, `held`, `refused`, `failed`, or `unknown` of a run that left no summary."""
        return self.summary.get("status") or "unknown"

    @property
    def name(self) -> str:
        """The pipeline's name, or that of its workspace."""
        return (self.summary.get("config") or {}).get("name") or self.folder.parent.parent.name

    @property
    def versions(self) -> list[str]:
        """The versions that its model was pushed as: first by the run, then by rolling back."""
        paths = [self.summary.get("pushed_path")]
        paths += [again["pushed_path"] for again in self.summary.get("pushed_again") or ()]
        return [Path(path).name for path in paths if path]

    @property
    def serves(self) -> bool:
        """Whether one of them is the version that serves now."""
        pushed = self.summary.get("pushed_path")
        return bool(pushed) and served.version(str(Path(pushed).parent)) in self.versions

    @property
    def spans(self) -> list[int]:
        """The numbers of the spans that it trained on, ascending; none if that is not known."""
        return [span["number"] for span in self.summary.get("spans") or ()]

    def figure(self, key: str) -> float | None:
        """A figure of the whole test split; None if it was not measured."""
        return (self.summary.get("metrics") or {}).get(key)

    def interval(self, key: str) -> Sequence[float] | None:
        """The 95 % interval of a figure; None if there is none."""
        return (self.summary.get("intervals") or {}).get(key)

    def by_label(self) -> Mapping[str, Mapping[str, float | None]]:
        """Figures by label; none if nothing was measured."""
        return self.summary.get("metrics_by_label") or {}

    def output(self, node: str, key: str) -> str | None:
        """Where a node of this run left an output."""
        for found in self.summary.get("nodes") or ():
            if found.get("id") == node and (found.get("outputs") or {}).get(key):
                return found["outputs"][key][0]
        return None


def find_all(workspace: Path) -> list[Run]:
    """Every run below a folder, the newest first.

    Args:
      workspace: one workspace, or a folder of such.

    Raises:
      PostersError: there is no run.
    """
    found = sorted(_folders(workspace), key=lambda folder: folder.name, reverse=True)
    if not found:
        raise PostersError(
            f"there is no run below {workspace.resolve()}: run `posters run` first, or name the "
            "configuration's workspace with --workspace."
        )
    return [_read(folder) for folder in found]


def find(workspace: Path, word: str | None) -> Run:
    """One run.

    Args:
      workspace: see `find_all`.
      word: a run's id or how it begins, or its folder; None for the newest.

    Raises:
      PostersError: no run is called so, or several are.
    """
    if word is not None and (Path(word) / run_page.SUMMARY).is_file():
        return _read(Path(word))
    runs = find_all(workspace)
    if word is None:
        return runs[0]
    fitting = [run for run in runs if run.id.startswith(word)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        some = ", ".join(run.id for run in fitting[:_SHOWN])
        raise PostersError(f"{len(fitting)} runs begin with {word}: {some}. Write more of the id.")
    some = ", ".join(run.id for run in runs[:_SHOWN])
    raise PostersError(
        f"no run below {workspace.resolve()} is called {word}; the newest are {some}. `posters "
        "runs` lists all."
    )


def _folders(workspace: Path) -> Iterator[Path]:
    for runs in (workspace / "runs", *workspace.glob("*/runs")):
        if runs.is_dir():
            yield from (path for path in runs.iterdir() if _RUN_ID.match(path.name))


def _read(folder: Path) -> Run:
    try:
        summary = run_page.read_summary(folder)
    except PostersError:
        if (folder / run_page.SUMMARY).exists():
            return Run(folder, {}, "its summary cannot be read")
        return Run(folder, {}, "it left no summary: it was killed, or is still running")
    if summary.get("format") != FORMAT:
        return Run(folder, {}, f"its summary has format {summary.get('format')}, not {FORMAT}")
    return Run(folder, summary)
