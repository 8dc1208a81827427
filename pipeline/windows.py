"""The spans that a run trains on: what the configuration's `window` means for a data root."""

from __future__ import annotations

import dataclasses
from typing import Any

from components.errors import PostersError
from components.paths import AnyPath, to_path
from components.spans import choice, reading
from components.spans.reading import SPLITS, Span
from components.spans.record import SpanRecord, WindowRecord
from components.spans.words import in_words
from pipeline import data
from pipeline.config import Config


@dataclasses.dataclass(frozen=True)
class Window:
    """Spans that are trained on together.

    Attributes:
      spans: ascending by number, at least one.
      labels: the vocabulary of the newest, in order: it holds those of all before it.
    """

    spans: tuple[Span, ...]
    labels: tuple[str, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The spans' numbers, ascending."""
        return tuple(span.number for span in self.spans)

    @property
    def newest(self) -> Span:
        """The span with the highest number."""
        return self.spans[-1]

    def __str__(self) -> str:
        return in_words(self.numbers)

    @property
    def slug(self) -> str:
        """The same as a part of a name: lower-case letters, digits and dashes, at most 40."""
        words = "-".join(str(self).replace(",", "").split())
        if len(words) <= 40:
            return words
        return f"spans-{self.numbers[0]}-to-{self.numbers[-1]}-{len(self.numbers)}-of-them"

    def brief(self) -> list[dict[str, Any]]:
        """What is kept of each span with a run: number, date, digest of its manifest, examples."""
        return [span.brief() for span in self.record().spans]

    def record(self) -> WindowRecord:
        """As ExampleGen writes it down where all are new."""
        return WindowRecord(tuple(map(SpanRecord.of, self.spans)), self.labels, self.numbers)


def resolve(config: Config, place: AnyPath | None = None) -> Window:
    """The window that the configuration asks for.

    Args:
      config: the checked configuration.
      place: another data root, or the folder of one span; None for the configuration's data root.

    Raises:
      PostersError: a span is not there or damaged, or a split has no example in all of them.
    """
    root = data.open_root(config, place)
    if place is not None and (number := reading.number_of(place)) is not None:
        return _checked([reading.read_folder(place, number)])
    there = data.find_numbers(root)
    known: dict[int, Span] = {}

    def read(number: int) -> Span:
        if number not in known:
            known[number] = reading.read(root, number)
        return known[number]

    numbers = choice.choose(
        config.window,
        there,
        lambda number: read(number).date,
        str(root),
        exclude=config.exclude_spans,
    )
    return _checked([read(number) for number in numbers])


def resolve_in_copy(config: Config, copy: AnyPath) -> Window:
    """The window of the configuration's data root, as a copy of it says; the root is not asked.

    Args:
      config: the checked configuration.
      copy: a copy of the data root, or of the folder of one span of it.

    Raises:
      PostersError: see `resolve`.
    """
    window, root = resolve(config, copy), to_path(config.data_root)
    spans = (
        dataclasses.replace(span, folder=root / f"span-{span.number}") for span in window.spans
    )
    return dataclasses.replace(window, spans=tuple(spans))


def _checked(spans: list[Span]) -> Window:
    labels = reading.read_vocabulary(spans[-1].folder)
    numbers = [span.number for span in spans]
    for split in SPLITS:
        if not any(span.examples[split] for span in spans):
            purpose = "train on" if split == "train" else "measure with"
            raise PostersError(
                f"{in_words(numbers)} of {spans[-1].folder.parent}: the {split} split has no "
                f"example to {purpose}. Ingest more examples, raise its share with "
                "ingest.split_shares, or take more spans into the window."
            )
    return Window(tuple(spans), labels)
