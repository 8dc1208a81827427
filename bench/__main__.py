"""Times the whole DAG: from nothing, again with nothing changed, and with a new learning rate.

Each run is a process of its own, in a workspace that this script makes and removes. Quoted are
medians over the repeats; peak memory is the largest seen.

    make bench                                     the embedded sample
    make bench ARGS="--config local --set data_root=DATA --set trainer.hub_handle=MODULE"
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from components.progress import CONSOLE
from pipeline import config as configuration

#: What each of the three runs changes.
SCENARIOS = {
    "from nothing": [],
    "again, nothing changed": [],
    "new learning rate": ["trainer.learning_rate=0.0005"],
}
_GIGABYTE = 1 << 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; the exit status is 0 if every run came to a verdict."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("--config", default="sample")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    measured: dict[str, list[dict]] = {name: [] for name in SCENARIOS}
    with tempfile.TemporaryDirectory(prefix="posters-bench-") as folder:
        overrides = [*options.overrides, *_data(options, Path(folder))]
        for repeat in range(options.repeats):
            workspace = Path(folder) / f"workspace-{repeat}"
            for name, changes in SCENARIOS.items():
                CONSOLE.print(f"repeat {repeat + 1} of {options.repeats}: {name}")
                settings = [*overrides, *changes, f"workspace={workspace}"]
                measured[name].append(_run(options.config, settings, workspace))
    _show(measured)
    return 0


def _data(options: argparse.Namespace, folder: Path) -> list[str]:
    """Draws and ingests the sample where the configuration's own data are not there."""
    root = Path(configuration.load(options.config, options.overrides).data_root)
    if options.config != "sample" or root.is_dir():
        return [f"data_root={root}"]
    source, data = folder / "source", folder / "data"
    _posters("sample", "--out", str(source))
    table, images = str(source / "MovieGenre.csv"), str(source / "images")
    _posters("ingest", "--config", "sample", "--csv", table, "--images", images, "--out", str(data))
    return [f"data_root={data}"]


def _run(config: str, overrides: Sequence[str], workspace: Path) -> dict:
    started = time.monotonic()
    _posters("run", "--config", config, *(f"--set={override}" for override in overrides))
    wall = time.monotonic() - started
    summary = json.loads((max((workspace / "runs").iterdir()) / "summary.json").read_text())
    return {**summary, "wall_seconds": wall}


def _posters(*arguments: str) -> None:
    command = [sys.executable, "-m", "pipeline.cli.main", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 3):  # 3: refused, which is a verdict too
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}")


def _show(measured: dict[str, list[dict]]) -> None:
    table = Table(title="Seconds, medians")
    table.add_column("")
    for name in measured:
        table.add_column(name, justify="right")
    table.add_row("process, start to end", *_medians(measured, lambda run: run["wall_seconds"]))
    table.add_row("imports", *_medians(measured, lambda run: run["import_seconds"]))
    table.add_row("DAG after imports", *_medians(measured, lambda run: run["seconds"]))
    table.add_section()
    for place, node in enumerate(next(iter(measured.values()))[0]["nodes"]):
        seconds = _medians(measured, lambda run, at=place: run["nodes"][at]["seconds"])
        states = [runs[0]["nodes"][place]["state"] for runs in measured.values()]
        cells = [f"{s} {t}" if s == "cached" else t for s, t in zip(states, seconds, strict=True)]
        table.add_row(node["id"], *cells)
    table.add_section()
    peaks = [max(run["peak_memory_bytes"] for run in runs) for runs in measured.values()]
    table.add_row("peak memory, GB", *(f"{peak / _GIGABYTE:.2f}" for peak in peaks))
    table.add_row("macro-F1", *_medians(measured, lambda run: run["metrics"]["macro_f1"], 3))
    CONSOLE.print(table)


def _medians(measured: dict[str, list[dict]], of, digits: int = 1) -> list[str]:
    return [
        f"{statistics.median(of(run) for run in runs):.{digits}f}" for runs in measured.values()
    ]


if __name__ == "__main__":
    sys.exit(main())
