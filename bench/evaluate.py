"""What the Evaluator costs: seconds and peak memory on a test split, with a baseline beside.

    python -m bench.evaluate --csv FILE --images DIR [--posters 1100] [--repeats 3] \
        --config local --set trainer.hub_handle=MODULE --set ingest.min_label_count=20

Ingests as much of the table as gives that many posters for the test split, half of all. Then runs
the pipeline once for a baseline and once a repeat, each time with another seed, so that Trainer and
Evaluator run and all before them is cached; so are the embeddings of the test split. Prints one
JSON object a repeat: the Evaluator's seconds, those of the processor, and the peak resident memory
of the whole process meanwhile.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

_GIGABYTE = 1e9
_SHARES = {"train": 0.4, "eval": 0.1, "test": 0.5}
#: Rows a poster of the test split, with some to spare for what ingest sets aside.
_ROWS_A_POSTER = 2.1


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.evaluate")
    parser.add_argument("--csv", type=Path, required=True, help="a table in the form of ingest")
    parser.add_argument("--images", type=Path, required=True, help="its folder of images")
    parser.add_argument("--posters", type=int, default=1100, help="how many to evaluate")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--config", default="local")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="posters-bench-") as folder:
        data, workspace = Path(folder) / "data", Path(folder) / "workspace"
        table = _head(options.csv, Path(folder) / "films.csv", options.posters)
        own = [
            f"ingest.split_shares={json.dumps(_SHARES)}",
            f"data_root={data}",
            f"workspace={workspace}",
        ]
        common = [f"--config={options.config}"]
        common += [f"--set={setting}" for setting in [*options.overrides, *own]]
        given = [f"--csv={table}", f"--images={options.images}", f"--out={data}"]
        _posters("ingest", *given, *common)
        for seed in range(options.repeats + 1):
            _posters("run", *common, f"--set=trainer.seed={seed}")
            if seed:
                print(json.dumps(_figures(workspace)), flush=True)
    return 0


def _head(table: Path, copy: Path, posters: int) -> Path:
    """The first rows of a table, as they are."""
    encoding = "iso-8859-1"  # gives every byte back as it was
    with table.open(encoding=encoding, newline="") as file:
        rows = list(csv.reader(file))[: 1 + int(posters * _ROWS_A_POSTER)]
    with copy.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return copy


def _figures(workspace: Path) -> dict[str, float | bool]:
    summary = json.loads((max((workspace / "runs").iterdir()) / "summary.json").read_text())
    (node,) = (node for node in summary["nodes"] if node["id"] == "Evaluator")
    return {
        "posters": int(summary["metrics"]["examples"]),
        "labels": len(summary["metrics_by_label"]),
        "with_baseline": summary["baseline_metrics"] is not None,
        "seconds": round(node["seconds"], 1),
        "cpu_seconds": round(node["cpu_seconds"], 1),
        "peak_gb": round(node["peak_memory_bytes"] / _GIGABYTE, 2),
    }


def _posters(*arguments: str) -> None:
    command = [sys.executable, "-m", "pipeline.cli.main", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 3):  # 3: refused, which is a verdict too
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}")


if __name__ == "__main__":
    sys.exit(main())
