"""The page of a run in its folder, beside `summary.json`: also of one that ended half way.

What RunReport gathered is joined with what only the runner knows: seconds and memory of each node.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import PostersError
from components.files import write_text
from components.report import card, content, page
from components.report.content import Content

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.runners.local import NodeReport
    from pipeline.windows import Window

SUMMARY = "summary.json"
REPORT_NODE = "RunReport"
#: Which node's output is which input of RunReport.
_OUTPUTS = {
    "examples": ("ExampleGen", "examples"),
    "statistics": ("StatisticsGen", "statistics"),
    "gate_report": ("DataGate", "report"),
    "model": ("Trainer", "model"),
    "evaluation": ("Evaluator", "evaluation"),
    "blessing": ("Evaluator", "blessing"),
    "infra_blessing": ("ServingCheck", "blessing"),
    "pushed_model": ("Pusher", "pushed_model"),
}


def write(folder: Path) -> Path:
    """Makes the page of a run, anew if it is there.

    Args:
      folder: the run's, with its `summary.json`.

    Returns:
      The page's path.

    Raises:
      PostersError: what it shows is no longer there.
    """
    summary = read_summary(folder)
    path = folder / page.FILE
    write_text(path, page.render(read_content(folder, summary), summary))
    return path


def of_version(workspace: Path, version: Path) -> Path | None:
    """The page of the run that pushed a version, if it is in this workspace.

    Args:
      workspace: the configuration's.
      version: the version's folder.
    """
    for folder in sorted((workspace / "runs").glob("*"), reverse=True):
        try:
            pushed = read_summary(folder).get("pushed_path")
        except PostersError:
            continue
        if pushed and Path(pushed).resolve() == version.resolve():
            path = folder / page.FILE
            return path if path.exists() else None
    return None


def is_current(folder: Path) -> bool:
    """Whether a run has a page, and its summary has not changed since."""
    path = folder / page.FILE
    return path.exists() and path.stat().st_mtime >= (folder / SUMMARY).stat().st_mtime


def write_card(folder: Path, path: Path) -> None:
    """Writes a run's model card.

    Raises:
      PostersError: what it says is no longer there.
      OSError: the file cannot be written.
    """
    write_text(path, card.render(read_content(folder, read_summary(folder))))


def read_summary(folder: Path) -> dict[str, Any]:
    """A run's summary.

    Raises:
      PostersError: there is none, or it is not whole.
    """
    path = folder / SUMMARY
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it is no object")
    except (OSError, ValueError) as error:
        raise PostersError(
            f"{path} cannot be read ({error}): the run was killed, or its files were changed."
        ) from error
    return found


def read_content(folder: Path, summary: Mapping[str, Any]) -> Content:
    """What a run's page shows: from the run's own folder, or from RunReport's.

    Raises:
      PostersError: it is in neither.
    """
    if (folder / content.FILE).exists():
        return content.read(str(folder))
    for node in summary.get("nodes", ()):
        if node["id"] == REPORT_NODE and node["outputs"].get("report"):
            return content.read(node["outputs"]["report"][0])
    raise PostersError(
        f"{folder}: what the run's page shows was not kept; the run is older than its pages, or "
        "was killed. Run again."
    )


def gather(
    folder: Path, config: Config, window: Window, reports: Sequence[NodeReport], started: float
) -> None:
    """Gathers what a run left that ended before RunReport, into the run's folder.

    Args:
      folder: the run's.
      config: its configuration.
      window: the data that it read.
      reports: of the nodes, as far as it came.
      started: when it began, in seconds since 1970.
    """
    from components.report import collect, executor
    from pipeline import report_node

    outputs = {node.id: node.outputs for node in reports if node.state != "failed"}
    if REPORT_NODE in outputs:
        return
    artifacts = {
        key: found
        for key, (node, output) in _OUTPUTS.items()
        if (found := outputs.get(node, {}).get(output))
    }
    sources = executor.locate(artifacts, **report_node.parameters(config, window))
    if sources.window is None:
        sources = dataclasses.replace(sources, window=window.record())
    refusal = _refusal(config, window, started)
    if sources.gate_report is None and refusal:
        sources = dataclasses.replace(sources, gate_report=str(refusal))
    content.write(str(folder), collect.collect(sources))


def _refusal(config: Config, window: Window, started: float) -> Path | None:
    """Where the gate left its reasons, if it refused in this run."""
    from components.gate import executor, report
    from pipeline import data_nodes

    folder = Path(executor.refused_folder(data_nodes.accepted_folder(config), window.numbers))
    file = folder / report.NAME
    # An earlier run's lies in the same place.
    return folder if file.exists() and file.stat().st_mtime >= started else None
