"""What one new span costs beside a run from nothing.

    python -m bench.span --csv FILE --images DIR

Ingests twenty parts in twenty-one as the first span and the rest as a second one, 5 % of it. Runs
the DAG on the first; then on both, going on from there; then on both from nothing. Prints one JSON
object; with --out it also goes into `span.json`.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import running
from components.files import write_text

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
    parser.add_argument("--out", type=Path, help="folder of span.json")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="posters-span-") as name:
        folder = Path(name)
        given = [f"--config={options.config}", *running.sets(options.overrides)]
        parts = _split(options.csv, folder)
        settings = running.sets([f"data_root={folder / 'data'}", "window=all"])
        running.ingest(folder, given, parts[0], options.images)
        first = running.run([*given, *settings], folder / "workspace")
        running.ingest(folder, given, parts[1], options.images)
        again = running.run([*given, *settings], folder / "workspace")
        whole = running.run([*given, *settings], folder / "another")
    found = {
        "share_of_a_run_from_nothing": round(again["seconds"] / whole["seconds"], 3),
        "first_span": _brief(first),
        "new_span": _brief(again),
        "both_from_nothing": _brief(whole),
    }
    if options.out:
        write_text(options.out / "span.json", json.dumps(found, indent=1) + "\n")
    print(json.dumps(found))
    return 0


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
        "nodes": {node["id"]: (node["state"], node["seconds"]) for node in summary["nodes"]},
    }


if __name__ == "__main__":
    sys.exit(main())
