"""What is written beside the examples of a window: which spans they are of, and what is in them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from components import paths
from components.errors import PostersError
from components.files import write_text
from components.spans.reading import Span

FILE = "window.json"
#: Grows when a reader of the file would have to change.
FORMAT = 1


@dataclasses.dataclass(frozen=True)
class SpanRecord:
    """One span.

    Attributes:
      number: its number.
      folder: where it lies.
      manifest: SHA-256 of its manifest, in hexadecimal.
      date: the day that its data are of, as YYYY-MM-DD, or None.
      examples: how many there are in each split.
      labels: how often each label occurs in each split.
      files: SHA-256 of each of its shards, in hexadecimal, by the shard's path below the artifact's
        folder; empty in records from before this was kept.
    """

    number: int
    folder: str
    manifest: str
    date: str | None
    examples: Mapping[str, int]
    labels: Mapping[str, Mapping[str, int]]
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, span: Span) -> SpanRecord:
        """The record of a span."""
        date = span.date and span.date.isoformat()
        files = {span.placed(name): digest for name, digest in span.shard_digests.items()}
        counts = (span.examples, span.labels)
        return cls(span.number, str(span.folder), span.digest, date, *counts, files)

    def brief(self) -> dict[str, Any]:
        """What a model and a summary keep of it."""
        return {name: getattr(self, name) for name in ("number", "date", "manifest", "examples")}


@dataclasses.dataclass(frozen=True)
class WindowRecord:
    """The spans that a run was given.

    Attributes:
      spans: ascending by number.
      labels: the vocabulary, in order: the newest span's.
      new: the numbers of those that the gate had not let through before; at least one.
    """

    spans: tuple[SpanRecord, ...]
    labels: tuple[str, ...]
    new: tuple[int, ...]

    @property
    def new_spans(self) -> tuple[SpanRecord, ...]:
        """The records of those that are new."""
        return tuple(span for span in self.spans if span.number in self.new)

    def write(self, folder: str) -> None:
        """Writes `window.json` into a folder."""
        content = {"format": FORMAT, **dataclasses.asdict(self)}
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        write_text(paths.to_path(folder) / FILE, text)


def read(folder: str) -> WindowRecord:
    """Reads what `WindowRecord.write` wrote into a folder.

    Raises:
      PostersError: it is not there, or is something else.
    """
    path = paths.to_path(folder) / FILE
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        spans = tuple(SpanRecord(**span) for span in content["spans"])
        return WindowRecord(spans, tuple(content["labels"]), tuple(content["new"]))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise PostersError(
            f"{path} cannot be read ({error}): ExampleGen writes it beside the examples. If files "
            "were removed by hand, remove the workspace's metadata.sqlite too, and run again."
        ) from error


def total(spans: Sequence[SpanRecord], split: str, label: str | None = None) -> int:
    """How many examples of a split, or how many with a label, some spans have together."""
    if label is None:
        return sum(span.examples.get(split, 0) for span in spans)
    return sum(span.labels.get(label, {}).get(split, 0) for span in spans)
