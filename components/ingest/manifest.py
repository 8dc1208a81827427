"""The manifest: what a span was made from, what is in it, and whether it is there already."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.errors import PostersError
from components.files import file_digest
from components.ingest.images import ImageFolder
from components.ingest.options import SPLITS, IngestOptions
from components.ingest.records import Item, Shard
from components.ingest.rejection import (
    BROKEN_IMAGE,
    UNREADABLE_ROW,
    WITHOUT_LABELS,
    Reason,
    Rejection,
)
from components.ingest.vocabulary import count_labels

#: The form of the span's files; a change that readers or repeated ingests would notice raises it.
FORMAT_VERSION = 1
NAME = "manifest.json"


def describe_source(csv: Path, images: ImageFolder) -> dict[str, Any]:
    """What tells one source from another, without reading the images.

    Raises:
      PostersError: the CSV cannot be read.
    """
    try:
        digest = file_digest(csv)
    except OSError as error:
        cause = error.strerror or error
        raise PostersError(f"cannot read the CSV {csv}: {cause}; check --csv") from error
    return {
        "csv_sha256": digest,
        "image_files": len(images.files),
        "image_names_and_sizes_sha256": images.digest,
    }


def find_published(
    span: Path, source: Mapping[str, Any], options: IngestOptions
) -> dict[str, Any] | None:
    """The manifest of `span` if it holds this very source and these options; None if it is new.

    Raises:
      PostersError: the span was made from something else, or is damaged.
    """
    try:
        if not span.exists() or (span.is_dir() and not any(span.iterdir())):
            return None
        manifest = json.loads((span / NAME).read_text(encoding="utf-8"))
        whole = all(
            (span / shard["name"]).stat().st_size == shard["bytes"] for shard in manifest["shards"]
        )
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise PostersError(
            f"{span} exists and is not a span that ingest wrote, or is damaged ({error!r}); "
            "remove it or choose another --out"
        ) from error
    if not whole:
        raise PostersError(
            f"{span} is damaged: a shard's size is not the one in its {NAME}; remove it and "
            "ingest again, or choose another --out"
        )
    differences = _differences(manifest, source, options)
    if differences:
        raise PostersError(
            f"{span} was ingested before, and not from this: {'; '.join(differences)}. Spans do "
            "not change: choose another --out"
        )
    return manifest


def build(
    source: Mapping[str, Any],
    options: IngestOptions,
    rejections: Sequence[Rejection],
    repeats: int,
    train_counts: Mapping[str, int],
    vocabulary: Sequence[str],
    splits: Mapping[str, Sequence[Item]],
    shards: Sequence[Shard],
) -> dict[str, Any]:
    """The manifest, ready for `to_json`.

    `counts["rows"]` is the sum of `examples`, `repeats` and the numbers in `rejected`.
    """
    by_split = {split: count_labels(item.labels for item in splits[split]) for split in SPLITS}
    return {
        "format_version": FORMAT_VERSION,
        "source": dict(source),
        "options": _plain_options(options),
        "counts": _count(rejections, repeats, sum(len(items) for items in splits.values())),
        "rejected": dict(sorted(Counter(item.reason.value for item in rejections).items())),
        "labels": {
            "kept": {
                label: {split: by_split[split].get(label, 0) for split in SPLITS}
                for label in vocabulary
            },
            "dropped": {
                label: count for label, count in train_counts.items() if label not in vocabulary
            },
        },
        "examples": {split: len(splits[split]) for split in SPLITS},
        "shards": [dataclasses.asdict(shard) for shard in shards],
    }


def to_json(manifest: Mapping[str, Any]) -> str:
    """The manifest as it stands in its file."""
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def _count(rejections: Sequence[Rejection], repeats: int, examples: int) -> dict[str, int]:
    by_reason = Counter(item.reason for item in rejections)

    def number(reasons: frozenset[Reason]) -> int:
        return sum(by_reason[reason] for reason in reasons)

    return {
        "rows": examples + repeats + len(rejections),
        "images": examples + by_reason[Reason.NO_LABEL_LEFT],
        "examples": examples,
        "repeats": repeats,
        "conflicting_repeats": by_reason[Reason.CONFLICTING_REPEAT],
        "missing_images": by_reason[Reason.MISSING_IMAGE],
        "undecodable": number(BROKEN_IMAGE),
        "forbidden": by_reason[Reason.FORBIDDEN_LABEL],
        "without_labels": number(WITHOUT_LABELS),
        "unreadable_rows": number(UNREADABLE_ROW),
    }


def _plain_options(options: IngestOptions) -> dict[str, Any]:
    """The options as JSON reads them back."""
    return json.loads(json.dumps(dataclasses.asdict(options)))


def _differences(
    manifest: Mapping[str, Any], source: Mapping[str, Any], options: IngestOptions
) -> list[str]:
    differences = []
    if manifest.get("format_version") != FORMAT_VERSION:
        differences.append(f"its format is not version {FORMAT_VERSION}")
    before = manifest.get("source", {})
    if before.get("csv_sha256") != source["csv_sha256"]:
        differences.append("the CSV is another")
    if before.get("image_names_and_sizes_sha256") != source["image_names_and_sizes_sha256"]:
        differences.append(
            f"the images are others ({before.get('image_files')} files then, "
            f"{source['image_files']} now)"
        )
    options_before = manifest.get("options", {})
    for name, value in _plain_options(options).items():
        if options_before.get(name) != value:
            differences.append(f"ingest.{name} was {options_before.get(name)!r}, is {value!r}")
    return differences
