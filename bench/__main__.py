"""Times the whole DAG beside the floor and the textbook's way, on the same posters and cores.

    make bench                                     the embedded sample
    make bench ARGS="--csv FILE --images DIR --config local --set trainer.hub_handle=MODULE"
    make bench ARGS="--posters 100000 --without textbook --set image.size=96"     drawn noise

The floor is one pass of read, decode, resize and one forward pass (`bench.floor`); the textbook's
way is TFX as its templates use it (`bench.textbook`). Ours runs from nothing, again with nothing
changed, and with a new learning rate. Each is a process of its own, in a folder that this script
makes and removes. Quoted are medians over the repeats; peak memory is the largest seen. Ratios come
first; all is written to `bench/results.json`, and the chart beside it. The textbook's way comes
last, for it wants the most memory: what was measured before is written by then.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import results, running
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
        given = [f"--config={options.config}", *running.sets(options.overrides)]
        images = running.ingest(folder, given, options.csv, options.images, options.posters)
        given += running.sets([f"data_root={folder / 'data'}"])
        floor = None
        if "floor" not in options.without:
            CONSOLE.print("the floor")
            floor = running.measure("bench.floor", f"--images={images}", *given)
        ours = _ours(options.repeats, given, folder)
        found = results.summarize(floor, None, ours)
        _write(found, options.out)
        if "textbook" not in options.without:
            CONSOLE.print("the textbook's way")
            textbook = running.measure("bench.textbook", *given)
            found = results.summarize(floor, textbook, ours)
            _write(found, options.out)
    for table in results.tables(found):
        CONSOLE.print(table)
    return 0


def _write(found: dict[str, Any], out: Path) -> None:
    write_text(out / "results.json", json.dumps(found, indent=1) + "\n")
    results.draw(found, out / "results.svg")


def _ours(repeats: int, given: Sequence[str], folder: Path) -> dict[str, list[dict]]:
    measured: dict[str, list[dict]] = {name: [] for name in SCENARIOS}
    for repeat in range(repeats):
        workspace = folder / f"workspace-{repeat}"
        for name, changes in SCENARIOS.items():
            CONSOLE.print(f"ours, repeat {repeat + 1} of {repeats}: {name}")
            measured[name].append(running.run([*given, *running.sets(changes)], workspace))
    return measured


if __name__ == "__main__":
    sys.exit(main())
