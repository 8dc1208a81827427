"""What lies beside a span's shards: the vocabulary, the manifest and the list of rejects."""

from __future__ import annotations

import csv
import dataclasses
import json
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Any

from components.paths import AnyPath

#: How many rejected rows are kept of each reason.
_KEPT = 5


@dataclasses.dataclass(frozen=True)
class Reject:
    """One row that did not become an example: its id, where it came from, and what was wrong."""

    id: str
    source: str
    detail: str


@dataclasses.dataclass(frozen=True)
class Lists:
    """What the manifest and the list of rejects say, as far as they are there.

    Attributes:
      counts: numbers by name, as ingest gives them: rows, repeats and so on.
      examples: examples by split.
      dropped: labels that were too rare, and how often they occur.
      rejected: how many rows were left out, by reason.
      rejects: the first of them, by reason.
    """

    counts: Mapping[str, int]
    examples: Mapping[str, int]
    dropped: Mapping[str, int]
    rejected: Mapping[str, int]
    rejects: Mapping[str, list[Reject]]


def plain(text: str | bytes) -> str:
    """Somebody's text without control characters, which a terminal or a page would obey."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", errors="replace")
    # Cc: escapes and line ends. Cf: marks that turn the direction of what follows. Cs: halves of
    # characters, which cannot be written as UTF-8. XML has no room for the last two.
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(letter) in ("Cc", "Cf", "Cs") or letter in "\ufffe\uffff"
        else letter
        for letter in text
    )


def read_vocabulary(folder: AnyPath, notes: list[str]) -> tuple[str, ...]:
    """The labels in `vocabulary.txt`; none, and a note, if there is no such file."""
    try:
        text = (folder / "vocabulary.txt").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        notes.append("vocabulary.txt is missing or cannot be read: the labels are those seen.")
        return ()
    return tuple(plain(line) for line in text.split("\n") if line)


def read(folder: AnyPath, notes: list[str]) -> Lists:
    """Reads `manifest.json` and `rejected.csv`; what they lack is noted, what is new is ignored."""
    manifest = _read_manifest(folder, notes)
    rejected, rejects = _read_rejected(folder, notes)
    if manifest is None:
        return Lists({}, {}, {}, rejected, rejects)
    labels = manifest.get("labels")
    by_reason = _numbers(manifest, "rejected", notes)
    if by_reason and rejects and by_reason != rejected:
        notes.append(
            f"manifest.json counts {sum(by_reason.values())} rejected rows, rejected.csv lists "
            f"{sum(rejected.values())}."
        )
    return Lists(
        counts=_numbers(manifest, "counts", notes),
        examples=_numbers(manifest, "examples", notes),
        dropped=_numbers(labels if isinstance(labels, dict) else {}, "dropped", notes, "labels."),
        rejected=by_reason or rejected,
        rejects=rejects,
    )


def _read_manifest(folder: AnyPath, notes: list[str]) -> dict[str, Any] | None:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if not isinstance(manifest, dict):
            raise ValueError("no object")
    except FileNotFoundError:
        notes.append("manifest.json is missing: rows left out at ingest are not known from it.")
        return None
    except (OSError, ValueError):
        notes.append("manifest.json cannot be read: rows left out at ingest are not known from it.")
        return None
    return manifest


def _numbers(
    content: Mapping[str, Any], key: str, notes: list[str], prefix: str = ""
) -> dict[str, int]:
    numbers = content.get(key)
    if not isinstance(numbers, dict):
        notes.append(f"manifest.json has no {prefix}{key}.")
        return {}
    return {plain(name): count for name, count in numbers.items() if isinstance(count, int)}


def _read_rejected(
    folder: AnyPath, notes: list[str]
) -> tuple[dict[str, int], dict[str, list[Reject]]]:
    counts: Counter[str] = Counter()
    rejects: dict[str, list[Reject]] = {}
    try:
        with (folder / "rejected.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                reason = plain(row.get("reason") or "unknown")
                counts[reason] += 1
                kept = rejects.setdefault(reason, [])
                if len(kept) < _KEPT:
                    names = ("id", "source", "detail")
                    kept.append(Reject(*(plain(row.get(name) or "") for name in names)))
    except FileNotFoundError:
        notes.append("rejected.csv is missing: which rows were left out is not known.")
    except (OSError, UnicodeDecodeError, csv.Error):
        notes.append("rejected.csv cannot be read to its end.")
    return dict(sorted(counts.items())), rejects
