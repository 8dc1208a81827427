"""What `posters batch` reaches of a bare forward loop, its memory, and a kill half way.

    python -m bench.batch --model DIR [--images DIR] [--posters 20000] [--seconds 60] [--kill]

The bare loop passes batches of read images forward in this process. Then `posters batch`, a process
of its own, is asked about a table of so many rows over the same images, repeated. With `--kill` it
is killed half way and started again. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from components.sample.writing import write_sample
from components.serving.asking import BATCH_IMAGES

#: Different images that are drawn, if none are given.
_DRAWN = 400
#: Seconds between two looks at the process's memory.
_LOOK_SECONDS = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; the exit status is 1 if a poster was not answered."""
    parser = argparse.ArgumentParser(prog="python -m bench.batch")
    parser.add_argument("--model", type=Path, required=True, help="a pushed version")
    parser.add_argument("--images", type=Path, help="a folder of images (default: drawn ones)")
    parser.add_argument("--posters", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=60, help="of the bare loop")
    parser.add_argument("--kill", action="store_true", help="kill it half way, and start it again")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="posters-bench-") as name:
        root = Path(name)
        images = options.images or _draw(root / "drawn")
        rows = _link(images, root / "images", options.posters, root / "table.csv")
        found = _batch(options, root, rows)
        bare = _bare(options.model, sorted(images.iterdir())[:_DRAWN], options.seconds)
    share = found["posters_a_second"] / bare
    print(json.dumps({"bare_posters_a_second": round(bare, 1), **found, "share": round(share, 3)}))
    return 0 if found["answered"] == options.posters else 1


def _draw(folder: Path) -> Path:
    write_sample(folder, count=_DRAWN)
    return folder / "images"


def _link(images: Path, folder: Path, count: int, table: Path) -> int:
    """Names for every row; the files behind them are those of the images, again and again."""
    folder.mkdir()
    files = itertools.cycle(sorted(images.iterdir()))
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["imdbId"])
        for number, source in zip(range(count), files, strict=False):
            (folder / f"{number:07d}{source.suffix}").symlink_to(source.resolve())
            writer.writerow([f"{number:07d}"])
    return count


def _batch(options: argparse.Namespace, root: Path, posters: int) -> dict[str, Any]:
    out = root / "out"
    command = [sys.executable, "-m", "pipeline.cli.main", "batch", "--config", "sample"]
    command += ["--csv", str(root / "table.csv"), "--images", str(root / "images")]
    command += ["--model", str(options.model), "--out", str(out)]
    killed_at = None
    if options.kill:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None and _files(out) * 1000 < posters // 2:
            time.sleep(_LOOK_SECONDS)
        process.kill()
        process.wait()
        killed_at = _files(out)
    started = time.time()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    memory: list[int] = []
    watch = threading.Thread(target=_watch, args=(process.pid, memory))
    watch.start()
    status = process.wait()
    seconds = time.time() - started
    watch.join()
    if status:
        raise SystemExit(f"posters batch ended with {status}")
    manifest = json.loads((out / "manifest.json").read_text())
    written = sorted(path.stat().st_mtime for path in out.glob("predictions-*.jsonl"))
    written = [moment for moment in written if moment > started]
    done = posters - 1000 * (killed_at or 0)
    # Between the first file and the last: what start and end take is `seconds` less this.
    steady = (len(written) - 1) * 1000 / (written[-1] - written[0])
    half = len(memory) // 2
    return {
        "posters": posters,
        "answered": manifest["answered"],
        "files": manifest["shards"],
        "killed_after_files": killed_at,
        "seconds": round(seconds, 1),
        "posters_a_second": round(steady, 1),
        "posters_a_second_with_start": round(done / seconds, 1),
        "memory_mb_first_half": round(max(memory[:half]) / (1 << 20)),
        "memory_mb_second_half": round(max(memory[half:]) / (1 << 20)),
    }


def _files(out: Path) -> int:
    return len(list(out.glob("predictions-*.jsonl"))) if out.exists() else 0


def _watch(process: int, memory: list[int]) -> None:
    """Resident bytes of the process, until it ends."""
    try:
        watched = psutil.Process(process)
        while True:
            memory.append(watched.memory_info().rss)
            time.sleep(_LOOK_SECONDS)
    except psutil.NoSuchProcess:
        return


def _bare(folder: Path, files: Sequence[Path], seconds: float) -> float:
    """Posters a second of the model alone, in batches as large as the batch's."""
    from components.serving.model import ServedModel
    from components.trainer import export

    images = itertools.cycle([file.read_bytes() for file in files])
    model = ServedModel(folder)

    def ask() -> int:
        batch = list(itertools.islice(images, BATCH_IMAGES))
        return len(model.ask(export.SERVING_DEFAULT, batch)["scores"])

    ask()
    started, done = time.perf_counter(), 0
    while time.perf_counter() < started + seconds:
        done += ask()
    return done / (time.perf_counter() - started)


if __name__ == "__main__":
    sys.exit(main())
