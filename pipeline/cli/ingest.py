"""`posters ingest`: a CSV and a folder of images become examples."""

from __future__ import annotations

import argparse

from components.ingest import IngestResult, ingest
from components.progress import CONSOLE, progress
from pipeline import config as configuration


def run(options: argparse.Namespace) -> int:
    """Ingests one source, unless it is already there."""
    config = configuration.load(options.config, options.overrides)
    with progress("images") as update:
        result = ingest(
            options.csv,
            options.images,
            options.out,
            config.ingest,
            progress=lambda done, total: update(done, f"of {total}"),
        )
    _show(result)
    return 0


def _show(result: IngestResult) -> None:
    manifest = result.manifest
    examples, counts = manifest["examples"], manifest["counts"]
    state = "already there, nothing to do" if result.already_done else "written"
    CONSOLE.print(f"{result.folder}: {state}", markup=False)
    splits = ", ".join(f"{count} {split}" for split, count in examples.items())
    CONSOLE.print(f"  {counts['rows']} rows -> {counts['examples']} examples ({splits})")
    left_out = {"repeats": counts["repeats"], **manifest["rejected"]}
    if any(left_out.values()):
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count)
        CONSOLE.print(f"  left out: {reasons}; each with its row in {result.folder}/rejected.csv")
    kept = manifest["labels"]["kept"]
    CONSOLE.print(f"  {len(kept)} labels: {', '.join(kept)}")
    if dropped := manifest["labels"]["dropped"]:
        rare = ", ".join(f"{label} ({count})" for label, count in dropped.items())
        CONSOLE.print(f"  dropped, too rare in train (ingest.min_label_count): {rare}")
