"""Times the whole DAG beside the floor and the textbook's way, on the same posters and cores.

    make bench                                     the embedded sample
    make bench ARGS="--csv FILE --images DIR --config local --set trainer.hub_handle=MODULE"
    make bench ARGS="--posters 100000 --without textbook --set image.size=96"     drawn noise

The floor is one pass of read, decode, resize and one forward pass (`bench.floor`); the textbook's
way is TFX as its templates use it (`bench.textbook`). Ours runs from nothing, again with nothing
changed, and with a new learning rate. Each is a process of its own, in a folder that this script
makes and removes. Quoted are medians over the repeats; peak memory is the largest seen. Ratios come
first; all is written to `bench/results.json`, and the chart beside it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import ingest as drawing
from bench import results, written
from components.files import write_text
from components.progress import CONSOLE

#: What each of the three runs changes.
SCENARIOS = {
    "from nothing": [],
    "again, nothing changed": [],
    "new learning rate": ["trainer.learning_rate=0.0005"],
}
_LEFT_OUT = ("floor", "textbook")
_HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints and writes; the exit status is 0 if every run came to a verdict."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("--config", default="sample")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--csv", type=Path, help="a table, as posters ingest takes it")
    parser.add_argument("--images", type=Path, help="its folder of images")
    parser.add_argument("--posters", type=int, help="draw so many posters of noise")
    parser.add_argument("--repeats", type=int, default=3, help="of our runs; the others run once")
    parser.add_argument("--without", action="append", default=[], choices=_LEFT_OUT)
    parser.add_argument("--out", type=Path, default=_HERE, help="folder of results.json")
    options = parser.parse_args(arguments)
    if (options.csv is None) != (options.images is None):
        parser.error("--csv and --images go together")
    with tempfile.TemporaryDirectory(prefix="posters-bench-") as name:
        folder = Path(name)
        images = _ingest(options, folder)
        given = [f"--config={options.config}", *_sets(options.overrides)]
        given += _sets([f"data_root={folder / 'data'}"])
        floor = textbook = None
        if "floor" not in options.without:
            CONSOLE.print("the floor")
            floor = _measure("bench.floor", f"--images={images}", *given)
        if "textbook" not in options.without:
            CONSOLE.print("the textbook's way")
            textbook = _measure("bench.textbook", *given)
        found = results.summarize(floor, textbook, _ours(options.repeats, given, folder))
    for table in results.tables(found):
        CONSOLE.print(table)
    write_text(options.out / "results.json", json.dumps(found, indent=1) + "\n")
    results.draw(found, options.out / "results.svg")
    return 0


def _ingest(options: argparse.Namespace, folder: Path) -> Path:
    """Ingests what is asked for; returns the folder of its images."""
    table, images = options.csv, options.images
    limits = []
    if options.posters is not None:
        table, images, limits = drawing.draw(folder, options.posters), folder / "images", [1]
    elif table is None:
        _posters("sample", "--out", str(folder))
        table, images = folder / "MovieGenre.csv", folder / "images"
    _posters(
        "ingest", f"--config={options.config}", f"--csv={table}", f"--images={images}",
        f"--out={folder / 'data'}", *_sets(options.overrides),
        *_sets(f"ingest.min_label_count={limit}" for limit in limits),
    )  # fmt: skip
    return images


def _ours(repeats: int, given: Sequence[str], folder: Path) -> dict[str, list[dict]]:
    measured: dict[str, list[dict]] = {name: [] for name in SCENARIOS}
    for repeat in range(repeats):
        workspace = folder / f"workspace-{repeat}"
        for name, changes in SCENARIOS.items():
            CONSOLE.print(f"ours, repeat {repeat + 1} of {repeats}: {name}")
            measured[name].append(_run([*given, *_sets(changes)], workspace))
    return measured


def _run(given: Sequence[str], workspace: Path) -> dict:
    started = time.monotonic()
    _posters("run", *given, *_sets([f"workspace={workspace}"]))
    wall = time.monotonic() - started
    summary = json.loads((max((workspace / "runs").iterdir()) / "summary.json").read_text())
    for node in summary["nodes"]:
        paths = [path for paths in node["outputs"].values() for path in paths]
        node["bytes"] = sum(written.size_of(Path(path)) for path in paths)
    return {**summary, "wall_seconds": wall}


def _sets(overrides: Sequence[str]) -> list[str]:
    return [f"--set={override}" for override in overrides]


def _measure(module: str, *arguments: str) -> dict:
    """What a bench of its own prints as its last line."""
    done = _start([sys.executable, "-m", module, *arguments], (0,))
    return json.loads(done.splitlines()[-1])


def _posters(*arguments: str) -> None:
    # 3: refused, which is a verdict too
    _start([sys.executable, "-m", "pipeline.cli.main", *arguments], (0, 3))


def _start(command: Sequence[str], good: Sequence[int]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in good:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
