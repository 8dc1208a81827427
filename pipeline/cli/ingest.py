"""`posters ingest`: a table and images become examples."""

from __future__ import annotations

import argparse
import dataclasses

from components.ingest import IngestResult, ingest
from components.progress import CONSOLE, progress
from pipeline import config as configuration

_SHOWN = 10


def run(options: argparse.Namespace) -> int:
    """Ingests one source, unless it is already there."""
    config = configuration.load(options.config, options.overrides)
    settings = config.ingest
    if options.jsonl is not None:
        settings = dataclasses.replace(settings, table_format="jsonl")
    if options.grow_vocabulary:
        settings = dataclasses.replace(settings, grow_vocabulary=True)
    beam = config.beam.default if config.beam.ingest is None else config.beam.ingest
    with progress("rows") as update:
        result = ingest(
            options.jsonl if options.csv is None else options.csv,
            options.images,
            options.out,
            settings,
            progress=lambda done, total: update(done, f"of {total}"),
            span=options.span,
            date=options.date,
            beam_options=beam,
        )
    _show(result)
    return 0


def _show(result: IngestResult) -> None:
    manifest = result.manifest
    examples, counts = manifest["examples"], manifest["counts"]
    state = "already there, nothing to do" if result.already_done else "written"
    date = f", of {manifest['date']}" if "date" in manifest else ""
    CONSOLE.print(f"{result.folder}: {state}{date}", markup=False)
    if result.note:
        CONSOLE.print(f"  {result.note}", markup=False)
    splits = ", ".join(f"{count} {split}" for split, count in examples.items())
    CONSOLE.print(f"  {counts['rows']} rows -> {counts['examples']} examples ({splits})")
    left_out = {"repeats": counts["repeats"], "known": counts["known"], **manifest["rejected"]}
    if any(left_out.values()):
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count)
        CONSOLE.print(f"  left out: {reasons}", markup=False)
        CONSOLE.print(f"  each rejected row is in {result.folder}/rejected.csv", markup=False)
    groups = manifest["groups"]
    if groups["of_several"]:
        CONSOLE.print(
            f"  {groups['images_in_them']} images look like others: {groups['of_several']} groups, "
            "each in one split"
        )
    _show_labels(manifest["labels"])
    for warning in manifest["warnings"][:_SHOWN]:
        CONSOLE.print(f"  warning: {warning}", markup=False)
    if len(manifest["warnings"]) > _SHOWN:
        CONSOLE.print(f"  and {len(manifest['warnings']) - _SHOWN} more warnings in manifest.json")


def _show_labels(labels: dict) -> None:
    CONSOLE.print(f"  {len(labels['kept'])} labels: {', '.join(labels['kept'])}", markup=False)
    if added := labels.get("added"):
        CONSOLE.print(f"  added to the vocabulary: {', '.join(added)}", markup=False)
    if dropped := labels["dropped"]:
        rare = ", ".join(f"{label} ({count})" for label, count in dropped.items())
        CONSOLE.print(
            f"  dropped, too rare in train (ingest.min_label_count): {rare}", markup=False
        )
    if new := labels["new"]:
        unknown = ", ".join(f"{label} ({count})" for label, count in new.items())
        CONSOLE.print(
            f"  new, and outside the vocabulary: {unknown}. With --grow-vocabulary the next span "
            "takes in those that reach ingest.min_label_count over the train examples of all spans",
            markup=False,
        )
