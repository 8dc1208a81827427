"""Small spans for tests, written as ingest lays them out but without reading a source."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from components.files import file_digest
from tests.examples import encode, example, picture, write_records

VOCABULARY = ("Drama", "Comedy", "Horror", "War")
SIZES = {"train": 120, "eval": 40, "test": 40}
#: (labels, year) of one example.
Row = tuple[Sequence[str], int]


def rows(count: int) -> list[Row]:
    """Examples in which every label is as frequent as the others."""
    labels = len(VOCABULARY)
    return [
        (
            [VOCABULARY[row % labels], *([VOCABULARY[(row + 1) % labels]] if row // 4 % 2 else [])],
            1950 + row * 7 % 40,
        )
        for row in range(count)
    ]


def clean() -> dict[str, list[Row]]:
    """The rows of every split of a span in which nothing is wrong."""
    return {split: rows(count) for split, count in SIZES.items()}


def write_span(
    root: Path, number: int, splits: dict[str, list[Row]], vocabulary: Sequence[str] = VOCABULARY
) -> Path:
    """Writes `root/span-<number>`; ids tell the split and the row."""
    folder = root / f"span-{number}"
    image = encode(picture(0))
    for split, examples in splits.items():
        records = [
            example(f"{split}-{row}", image, labels, title=f"Film {row}", year=year)
            for row, (labels, year) in enumerate(examples)
        ]
        write_records(folder / split / "data-00000-of-00001.tfrecord", records)
    (folder / "vocabulary.txt").write_text("".join(f"{label}\n" for label in vocabulary))
    counts = {
        split: Counter(label for labels, _ in examples for label in labels)
        for split, examples in splits.items()
    }
    write_manifest(folder, {split: len(examples) for split, examples in splits.items()}, counts)
    return folder


def write_manifest(
    folder: Path,
    examples: Mapping[str, int],
    counts: Mapping[str, Mapping[str, int]],
    date: str = "2026-01-05",
) -> None:
    """Writes what ingest writes last, as far as it is read: of the shards that are there.

    Args:
      folder: the span's.
      examples: by split, how many there are.
      counts: by split, how often each label occurs.
      date: the span's.
    """
    labels = sorted({label for found in counts.values() for label in found})
    shards = [
        {
            "name": str(path.relative_to(folder)),
            "bytes": path.stat().st_size,
            "sha256": file_digest(path),
        }
        for path in sorted(folder.glob("*/*.tfrecord"))
    ]
    manifest = {
        "date": date,
        "counts": {},
        "examples": dict(examples),
        "rejected": {},
        "labels": {
            "kept": {
                label: {split: found.get(label, 0) for split, found in counts.items()}
                for label in labels
            },
            "dropped": {},
            "others": {},
            "new": {},
        },
        "shards": shards,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
