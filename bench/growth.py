"""How time and memory of the whole DAG grow: `python -m bench.growth --posters 1000,10000,100000`.

For each number it draws so many posters of noise, ingests them and runs the DAG once from nothing,
with the small extractor that comes with the project. Prints what each node takes for a thousand
posters, and its peak memory; writes all to `growth.json`. The last line holds the ratios of the
largest number to the one before it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from bench import running
from components.files import write_text
from components.progress import CONSOLE

_GIGABYTE = 1e9


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--posters", default="1000,10000,100000", help="ascending numbers")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args(arguments)
    found = []
    for count in map(int, options.posters.split(",")):
        CONSOLE.print(f"{count} posters")
        with tempfile.TemporaryDirectory(prefix="posters-growth-") as name:
            found.append({"posters": count, **_measure(count, Path(name), options.overrides)})
    ratios = _ratios(found)
    CONSOLE.print(_table(found))
    write_text(options.out / "growth.json", json.dumps([*found, ratios], indent=1) + "\n")
    print(json.dumps(ratios))
    return 0


def _measure(count: int, folder: Path, overrides: Sequence[str]) -> dict[str, Any]:
    given = ["--config=sample", *running.sets(overrides)]
    running.ingest(folder, given, drawn=count)
    given += running.sets([f"data_root={folder / 'data'}"])
    summary = running.run(given, folder / "workspace")
    keys = ("id", "seconds", "cpu_seconds", "peak_memory_bytes", "bytes")
    return {
        "seconds": summary["seconds"],
        "peak_memory_bytes": summary["peak_memory_bytes"],
        "nodes": [{key: node[key] for key in keys} for node in summary["nodes"]],
    }


def _ratios(found: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Of the largest number to the one before it."""
    if len(found) < 2:
        return {}
    small, large = found[-2:]
    grown = large["posters"] / small["posters"]
    peaks = [
        big["peak_memory_bytes"] / little["peak_memory_bytes"]
        for little, big in zip(small["nodes"], large["nodes"], strict=True)
    ]
    return {
        "time_a_poster": round(large["seconds"] / small["seconds"] / grown, 3),
        "largest_node_peak": round(max(peaks), 3),
    }


def _table(found: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="Seconds for a thousand posters, and peak GB")
    table.add_column("")
    for each in found:
        table.add_column(f"{each['posters']:,}", justify="right")
        table.add_column("GB", justify="right")
    for place, node in enumerate(found[0]["nodes"]):
        cells = (_cells(each["nodes"][place], each["posters"]) for each in found)
        table.add_row(node["id"], *(cell for pair in cells for cell in pair))
    cells = (_cells(each, each["posters"]) for each in found)
    table.add_row("whole", *(cell for pair in cells for cell in pair))
    return table


def _cells(measured: Mapping[str, Any], posters: int) -> tuple[str, str]:
    seconds = 1000 * measured["seconds"] / posters
    return f"{seconds:.2f}", f"{measured['peak_memory_bytes'] / _GIGABYTE:.2f}"


if __name__ == "__main__":
    sys.exit(main())
