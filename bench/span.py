"""What one new span costs beside a run from nothing.

    python -m bench.span --csv FILE --images DIR

Ingests twenty parts in twenty-one as the first span and the rest as a second one, 5 % of it. Runs
the DAG on the first; then, in turn and repeatedly, on both from where that ended and on both from
nothing, so that a machine which becomes slower does so for both. Prints one JSON object, of medians
and of the runs; with --out it also goes into `span.json`.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import running
from components.files import write_text
from components.progress import CONSOLE

_PARTS = 21


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.span", description=__doc__)
    parser.add_argument("--config", default="local")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument(
        "--csv", type=Path, required=True, help="a table, as posters ingest takes it"
    )
    parser.add_argument("--images", type=Path, required=True, help="its folder of images")
    parser.add_argument("--repeats", type=int, default=3, help="of the runs that are compared")
    parser.add_argument("--out", type=Path, help="folder of span.json")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="posters-span-") as name:
        folder = Path(name)
        given = [f"--config={options.config}", *running.sets(options.overrides)]
        parts = _split(options.csv, folder)
        settings = [*given, *running.sets([f"data_root={folder / 'data'}", "window=all"])]
        running.ingest(folder, given, parts[0], options.images)
        CONSOLE.print("the first span")
        running.run(settings, folder / "workspace")
        # Under its own name, for its metadata names its files in full.
        kept = shutil.copytree(folder / "workspace", folder / "first", symlinks=True)
        running.ingest(folder, given, parts[1], options.images)
        again, whole = [], []
        for repeat in range(options.repeats):
            CONSOLE.print(f"repeat {repeat + 1} of {options.repeats}")
            shutil.rmtree(folder / "workspace")
            shutil.copytree(kept, folder / "workspace", symlinks=True)
            again.append(_brief(running.run(settings, folder / "workspace")))
            whole.append(_brief(running.run(settings, folder / f"another-{repeat}")))
    found = {
        "share_of_a_run_from_nothing": round(
            _median(again, "seconds") / _median(whole, "seconds"), 3
        ),
        "new_span_seconds": _median(again, "seconds"),
        "new_span_cpu_seconds": _median(again, "cpu_seconds"),
        "from_nothing_seconds": _median(whole, "seconds"),
        "new_span": again,
        "both_from_nothing": whole,
    }
    if options.out:
        write_text(options.out / "span.json", json.dumps(found, indent=1) + "\n")
    print(json.dumps(found))
    return 0


def _median(runs: Sequence[dict[str, Any]], key: str) -> float:
    return statistics.median(run[key] for run in runs)


def _split(table: Path, folder: Path) -> tuple[Path, Path]:
    """The table in two: every 21st row in the second."""
    # Latin-1 gives every byte back as it was, whatever the encoding is.
    with table.open(newline="", encoding="latin-1") as file:
        header, *rows = csv.reader(file)
    large, small = folder / "first.csv", folder / "second.csv"
    for path, is_small in ((large, False), (small, True)):
        with path.open("w", newline="", encoding="latin-1") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(
                row for place, row in enumerate(rows) if (place % _PARTS == 0) is is_small
            )
    return large, small


def _brief(summary: dict[str, Any]) -> dict[str, Any]:
    return {
        "seconds": summary["seconds"],
        # Of the nodes and their child processes: with every core busy it takes no less than these.
        "cpu_seconds": round(sum(node["cpu_seconds"] for node in summary["nodes"]), 2),
        "nodes": {node["id"]: (node["state"], node["seconds"]) for node in summary["nodes"]},
    }


if __name__ == "__main__":
    sys.exit(main())
