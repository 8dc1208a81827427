"""Runs of the verbs in processes of their own, and what they took."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psutil

from bench import ingest as drawing
from bench import written

#: Of drawn posters, in pixels.
SIZE = (96, 128)
#: With a smaller share of its memory left a machine comes to a standstill: a bench ends first.
_MEMORY_LEFT = 0.05
_LOOK_SECONDS = 0.5


def ingest(
    folder: Path,
    given: Sequence[str],
    table: Path | None = None,
    images: Path | None = None,
    drawn: int | None = None,
) -> Path:
    """Ingests posters into the folder `data` of a folder.

    Args:
      folder: takes what is drawn, too.
      given: arguments of `posters`.
      table: as `posters ingest` takes it, with `images`; by default the embedded sample.
      images: its folder of images.
      drawn: draws so many posters of noise instead.

    Returns:
      The folder of the images.
    """
    limits = []
    if drawn is not None:
        table, images, limits = drawing.draw(folder, drawn, SIZE), folder / "images", [1]
    elif table is None or images is None:
        posters("sample", "--out", str(folder))
        table, images = folder / "MovieGenre.csv", folder / "images"
    posters(
        "ingest", *given, f"--csv={table}", f"--images={images}", f"--out={folder / 'data'}",
        *sets(f"ingest.min_label_count={limit}" for limit in limits),
    )  # fmt: skip
    return images


def run(given: Sequence[str], workspace: Path) -> dict[str, Any]:
    """Runs the DAG; its summary, with `wall_seconds` and, of each node, the `bytes` it wrote."""
    started = time.monotonic()
    posters("run", *given, *sets([f"workspace={workspace}"]))
    wall = time.monotonic() - started
    summary = json.loads((max((workspace / "runs").iterdir()) / "summary.json").read_text())
    for node in summary["nodes"]:
        paths = [path for paths in node["outputs"].values() for path in paths]
        node["bytes"] = sum(written.size_of(Path(path)) for path in paths)
    return {**summary, "wall_seconds": wall}


def sets(overrides: Iterable[str]) -> list[str]:
    """Settings as arguments of `posters`."""
    return [f"--set={override}" for override in overrides]


def measure(module: str, *arguments: str) -> dict[str, Any]:
    """What a bench of its own prints as its last line."""
    done = start([sys.executable, "-m", module, *arguments])
    return json.loads(done.splitlines()[-1])


def posters(*arguments: str) -> None:
    """A verb; ends this program if it fails."""
    # 3: refused, which is a verdict too
    start([sys.executable, "-m", "pipeline.cli.main", *arguments], (0, 3))


def start(command: Sequence[str], good: Sequence[int] = (0,)) -> str:
    """What a process prints; ends this program if it fails or memory is running out.

    Args:
      command: with its arguments.
      good: exit statuses that are no failure.
    """
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            output, errors = _communicate(process)
        except BaseException:
            _end(process)
            raise
    if process.returncode not in good:
        sys.exit(f"{' '.join(command)} failed:\n{output[-3000:]}\n{errors[-3000:]}")
    return output


def _communicate(process: subprocess.Popen[str]) -> tuple[str, str]:
    while True:
        try:
            return process.communicate(timeout=_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            available, total = _memory()
            if available < _MEMORY_LEFT * total:
                sys.exit(
                    f"{' '.join(process.args)} was ended: {available / 1e9:.1f} GB of the "
                    f"machine's {total / 1e9:.1f} GB of memory were left. Give it fewer posters, "
                    "or a machine with more memory."
                )


def _memory() -> tuple[int, int]:
    """Bytes available, and in all."""
    memory = psutil.virtual_memory()
    return memory.available, memory.total


def _end(process: subprocess.Popen[str]) -> None:
    """Ends a process and all that it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        for one in (*parent.children(recursive=True), parent):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
