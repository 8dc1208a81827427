"""Throughput and memory of ingest: `python -m bench.ingest --posters 10000,100000`.

Draws small posters of noise, as many as asked, and ingests them in a process of its own for each
number. Prints one JSON object a measurement, and how much the largest peaks above the smallest.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

_BASES = 256
_SIZE = (48, 64)
_LABELS = ("Drama", "Comedy", "Action", "Horror")
_MEASURE = """
import json, resource, sys, time
started = time.monotonic()
from pathlib import Path
from components.ingest import IngestOptions, ingest
csv, images, out, options = sys.argv[1:]
result = ingest(csv, images, Path(out), IngestOptions(**json.loads(options)))
seconds = time.monotonic() - started
usage = resource.getrusage(resource.RUSAGE_SELF)
counts = result.manifest["counts"]
print(json.dumps({
    "rows": counts["rows"],
    "examples": counts["examples"],
    "seconds": round(seconds, 1),
    "images_a_second": round(counts["images"] / seconds),
    "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
    "peak_mb": round(usage.ru_maxrss / 1024),
}))
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posters", default="10000,100000", help="numbers to draw and ingest")
    parser.add_argument("--csv", help="measure this table instead, with --images")
    parser.add_argument("--images", help="its folder of images")
    options = parser.parse_args(arguments)
    if options.csv is not None:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(_measure(options.csv, options.images, Path(folder), 100)), flush=True)
        return 0
    peaks = []
    for count in map(int, options.posters.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            table = draw(Path(folder), count)
            measured = _measure(str(table), f"{folder}/images", Path(folder), 1)
        print(json.dumps(measured), flush=True)
        peaks.append(measured["peak_mb"])
    print(json.dumps({"largest_peak_over_smallest": round(max(peaks) / min(peaks), 2)}))
    return 0


def draw(folder: Path, count: int, size: tuple[int, int] = _SIZE) -> Path:
    """Draws `count` posters that do not look alike, and the table; returns its path.

    Args:
      folder: takes the table and, in `images`, the posters.
      count: how many.
      size: width and height in pixels.
    """
    generator = np.random.default_rng(0)
    bases = generator.integers(0, 256, (_BASES, 8, 6, 3), dtype=np.uint8)
    images = folder / "images"
    images.mkdir()
    table = folder / "films.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["imdbId", "Title", "Genre"])
        for number in range(count):
            blocks = bases[number % _BASES] ^ generator.integers(0, 256, (8, 6, 3), dtype=np.uint8)
            content = io.BytesIO()
            Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST).save(
                content, "JPEG", quality=60
            )
            (images / f"{number:07d}.jpg").write_bytes(content.getvalue())
            labels = "|".join(_LABELS[: 1 + number % len(_LABELS)])
            writer.writerow([f"{number:07d}", f"Film {number} ({1950 + number % 70})", labels])
    return table


def _measure(csv_path: str, images: str, folder: Path, min_label_count: int) -> dict[str, float]:
    options = json.dumps({"min_label_count": min_label_count})
    command = [sys.executable, "-W", "ignore", "-c", _MEASURE, csv_path, images]
    done = subprocess.run(
        [*command, str(folder / "data"), options], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
