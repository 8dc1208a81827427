"""Published spans, as far as their manifests tell of them: no example is read."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from components.errors import PostersError
from components.paths import AnyPath
from components.store_path import StorePath

#: What ingest writes last: on a store a span is there once this is.
MANIFEST = "manifest.json"
VOCABULARY = "vocabulary.txt"
SPLITS = ("train", "eval", "test")
_SPAN = re.compile(r"^span-([1-9][0-9]*)$")


@dataclasses.dataclass(frozen=True)
class Span:
    """One published span.

    Attributes:
      number: from 1; later ones have higher numbers.
      folder: holds a folder of shards a split; a local path, or one on a store.
      digest: SHA-256 of its manifest, in hexadecimal: another span has another.
      manifest: the content of `manifest.json`.
    """

    number: int
    folder: AnyPath
    digest: str
    manifest: Mapping[str, Any] = dataclasses.field(repr=False)

    @property
    def date(self) -> datetime.date | None:
        """The day that its data are of; None if it was ingested before spans had one."""
        date = self.manifest.get("date")
        return date and datetime.date.fromisoformat(date)

    @property
    def examples(self) -> dict[str, int]:
        """How many there are in each split."""
        return {split: int(self.manifest["examples"].get(split, 0)) for split in SPLITS}

    @property
    def labels(self) -> dict[str, dict[str, int]]:
        """How often each label occurs in each split, whether the vocabulary holds it or not."""
        labels = self.manifest["labels"]
        return {**labels["kept"], **labels.get("others", {})}

    @property
    def has_other_labels(self) -> bool:
        """Whether an example has labels outside the span's vocabulary."""
        return bool(self.manifest["labels"].get("others"))

    @property
    def shards(self) -> dict[str, int]:
        """The shards' names below the folder, with their sizes in bytes."""
        return {shard["name"]: shard["bytes"] for shard in self.manifest["shards"]}

    @property
    def shard_digests(self) -> dict[str, str]:
        """SHA-256 of the shards, in hexadecimal, by their names below the folder."""
        return {shard["name"]: shard["sha256"] for shard in self.manifest["shards"]}

    def placed(self, shard: str) -> str:
        """Where a shard lies below the folder of an artifact, as TFX lays out splits."""
        split, _, name = shard.partition("/")
        return f"Split-{split}/span-{self.number:05d}-{name}"


def number_of(folder: AnyPath) -> int | None:
    """The number of the span in a folder; None if that is no span's."""
    match = _SPAN.match(folder.name)
    return int(match[1]) if match and _is_there(folder) else None


def numbers(root: AnyPath) -> list[int]:
    """The numbers of the spans below a data root, ascending.

    Raises:
      OSError: the store cannot be asked.
    """
    return sorted(number for path in _folders(root) if (number := number_of(path)) is not None)


def read(root: AnyPath, number: int) -> Span:
    """Reads the manifest of a span.

    Raises:
      PostersError: it cannot be read, or says too little.
    """
    return read_folder(root / f"span-{number}", number)


def read_folder(folder: AnyPath, number: int) -> Span:
    """The same of the folder of a span."""
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
        span = Span(number, folder, hashlib.sha256(content).hexdigest(), json.loads(content))
        _ = (span.examples, span.labels, span.shards, span.shard_digests, span.date)
    except OSError as error:
        raise PostersError(
            f"{path} cannot be read ({error.strerror or error}): it says what is in the span, and "
            "`posters ingest` writes it. Ingest again into another folder."
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise PostersError(
            f"{path} is not what `posters ingest` writes ({error!r}). Remove {folder} and ingest "
            "again, or take another data root."
        ) from error
    return span


def read_vocabulary(folder: AnyPath) -> tuple[str, ...]:
    """The labels of a span, in order.

    Raises:
      PostersError: they cannot be read, or one stands twice.
    """
    path = folder / VOCABULARY
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise PostersError(
            f"{path} cannot be read ({error.strerror or error}): it lists the labels, one a line, "
            "and `posters ingest` writes it. Ingest again into another folder."
        ) from error
    labels = tuple(line for line in lines if line)
    if not labels or len(set(labels)) != len(labels):
        raise PostersError(f"{path} must list each label once, one a line; it has {len(labels)}.")
    return labels


def _folders(root: AnyPath) -> Iterator[AnyPath]:
    if isinstance(root, StorePath):
        yield from root.folders("span-")
    elif root.is_dir():
        yield from root.iterdir()


def _is_there(folder: AnyPath) -> bool:
    return (folder / MANIFEST).exists() if isinstance(folder, StorePath) else folder.is_dir()
