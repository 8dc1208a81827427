"""The manifest: what a span was made from, and what is in it."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import components
from components import paths
from components.errors import PostersError
from components.ingest.balance import find_warnings, split_shares
from components.ingest.images import ListingDigest, list_images
from components.ingest.options import SPLITS
from components.ingest.rejection import BROKEN_IMAGE, UNREADABLE_ROW, WITHOUT_LABELS, Reason
from components.ingest.vocabulary import sort_labels

#: What, besides this code, decides the bytes of a span.
_LIBRARIES = ("apache-beam", "imagehash", "numpy", "pillow", "tensorflow")
_CHUNK_BYTES = 1 << 20

Tallies = Mapping[tuple[str, ...], int]


def describe_source(table: str, images: str | None) -> dict[str, Any]:
    """What tells one source from another, without reading the images.

    Raises:
      PostersError: the table or the folder cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with paths.open_file(table) as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        cause = error.strerror or error
        raise PostersError(f"cannot read the table {table}: {cause}; check --csv") from error
    listing = ListingDigest()
    for _, entry in list_images(images) if images is not None else ():
        listing.add(entry)
    return {
        "csv_sha256": digest.hexdigest(),
        "image_files": listing.count,
        "image_names_and_sizes_sha256": listing.hexdigest(),
    }


def describe_code() -> dict[str, str]:
    """The versions that decide the bytes of a span."""
    libraries = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return {"version": components.__version__, **libraries}


def count(tallies: Tallies) -> dict[str, int]:
    """The numbers of rows by what became of them.

    `rows` is the sum of `examples`, `repeats`, `known` and all that was rejected.
    """
    rejected = by_reason(tallies)

    def number(reasons: Iterable[Reason]) -> int:
        return sum(rejected.get(reason.value, 0) for reason in reasons)

    examples = sum(tallies.get(("split", split), 0) for split in SPLITS)
    repeats = tallies.get(("repeat",), 0)
    known = tallies.get(("known",), 0)
    return {
        "rows": examples + repeats + known + sum(rejected.values()),
        "images": examples + number([Reason.NO_LABEL_LEFT, Reason.SPLIT_CONFLICT]),
        "examples": examples,
        "repeats": repeats,
        "conflicting_repeats": number([Reason.CONFLICTING_REPEAT]),
        "missing_images": number([Reason.MISSING_IMAGE]),
        "undecodable": number(BROKEN_IMAGE),
        "forbidden": number([Reason.FORBIDDEN_LABEL]),
        "without_labels": number(WITHOUT_LABELS),
        "unreadable_rows": number(UNREADABLE_ROW),
        "known": known,
        "changed": number([Reason.CHANGED_LABELS, Reason.CHANGED_IMAGE]),
        "split_conflicts": number([Reason.SPLIT_CONFLICT]),
    }


def by_reason(tallies: Tallies) -> dict[str, int]:
    """The numbers of rejected rows by reason."""
    return {words[1]: n for words, n in sorted(tallies.items()) if words[0] == "rejected"}


def label_counts(tallies: Tallies, kind: str) -> dict[str, dict[str, int]]:
    """For each label its number of examples in each split.

    Args:
      tallies: what the steps counted.
      kind: "label" for those of the vocabulary, "other_label" for the others, "beside" for those of
        the others that a published example has.
    """
    labels = {words[1] for words in tallies if words[0] == kind}
    return {
        label: {split: tallies.get((kind, label, split), 0) for split in SPLITS}
        for label in sorted(labels)
    }


def build(
    tallies: Tallies,
    vocabulary: Sequence[str],
    known_labels: Iterable[str] | None,
    added: Sequence[str] = (),
) -> dict[str, Any]:
    """The part of the manifest that is counted.

    Args:
      tallies: what the steps counted.
      vocabulary: the labels in their order.
      known_labels: the labels that earlier spans have met; None for the first span.
      added: those of the vocabulary that earlier spans' lacks.
    """
    counted = label_counts(tallies, "label")
    nowhere = dict.fromkeys(SPLITS, 0)
    kept = {label: counted.get(label, nowhere) for label in vocabulary}
    others = label_counts(tallies, "other_label")
    new = set() if known_labels is None else others.keys() - set(known_labels)
    train = {label: counts["train"] for label, counts in others.items() if label not in new}
    everywhere = {label: sum(others[label].values()) for label in new}
    examples = {split: tallies.get(("split", split), 0) for split in SPLITS}
    return {
        "counts": count(tallies),
        "rejected": by_reason(tallies),
        "labels": {
            "kept": kept,
            "dropped": {label: train[label] for label in sort_labels(train)},
            "others": label_counts(tallies, "beside"),
            "added": list(added),
            "new": {label: everywhere[label] for label in sort_labels(everywhere)},
        },
        "balance": split_shares(kept),
        "groups": {
            "of_several": tallies.get(("groups",), 0),
            "images_in_them": tallies.get(("grouped",), 0),
            "largest": {
                words[1]: n
                for words, n in sorted(tallies.items(), key=lambda item: (-item[1], item[0]))
                if words[0] == "group"
            },
        },
        "examples": examples,
        "warnings": find_warnings(kept, examples),
    }
