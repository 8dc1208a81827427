"""What a decision is made of: plain facts, as text and numbers."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from components.retraining.embedding_drift import EmbeddingDrift
    from components.retraining.in_use import InUse


@dataclasses.dataclass(frozen=True)
class SpanFacts:
    """One span, as its manifest has it.

    Attributes:
      number: from 1.
      manifest: SHA-256 of the manifest, in hexadecimal: another span has another.
      date: its day, ISO 8601, or None if ingest recorded none.
      examples: how many, by split.
      labels: over all splits, how many examples carry a label, in the vocabulary or not.
      in_train: the same of the train split, by which a vocabulary grows.
    """

    number: int
    manifest: str
    date: str | None
    examples: Mapping[str, int]
    labels: Mapping[str, int]
    in_train: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @property
    def posters(self) -> int:
        """All its examples."""
        return sum(self.examples.values())


@dataclasses.dataclass(frozen=True)
class Served:
    """The model that serves.

    Attributes:
      version: the name of its folder.
      labels: what it knows.
      spans: numbers of the spans that it was trained on; None if it does not say.
      trained: when; None if that is not known.
    """

    version: str
    labels: tuple[str, ...]
    spans: tuple[int, ...] | None
    trained: datetime.datetime | None


@dataclasses.dataclass(frozen=True)
class Attempt:
    """The last training that came to a verdict, with the settings of now.

    Attributes:
      name: the run, or the decision that started it.
      spans: numbers of the spans that were trained on.
      verdict: `pushed`, `refused` or `held` for a person's approval.
    """

    name: str
    spans: tuple[int, ...]
    verdict: str


@dataclasses.dataclass(frozen=True)
class GateRefusal:
    """Spans that the data gate refused, with the settings, schema and code of now.

    Attributes:
      spans: their numbers.
      findings: what is wrong with them, in words.
    """

    spans: tuple[int, ...]
    findings: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Situation:
    """All that a decision looks at.

    Attributes:
      now: in UTC.
      window: the spans that a run would train on, in their order; at least one.
      labels: the window's vocabulary, in order.
      known: every span of the data root, by number: also those that have left the window.
      excluded: spans that the configuration leaves out.
      served: the model that serves, or None.
      attempt: see `Attempt`; None if there was none.
      refusals: of spans that are all in the window.
      under_way: what is under way already, in words, or None.
      embeddings: how far new posters moved; None if that was not looked at.
      no_embeddings: why it was not, or None.
      in_use: what the served model was asked about; None if that was not looked at.
      force: a person's reason to run whatever is found, or None.
    """

    now: datetime.datetime
    window: tuple[SpanFacts, ...]
    labels: tuple[str, ...]
    known: Mapping[int, SpanFacts]
    excluded: tuple[int, ...] = ()
    served: Served | None = None
    attempt: Attempt | None = None
    refusals: tuple[GateRefusal, ...] = ()
    under_way: str | None = None
    embeddings: EmbeddingDrift | None = None
    no_embeddings: str | None = None
    in_use: InUse | None = None
    force: str | None = None

    @property
    def spans(self) -> tuple[int, ...]:
        """Numbers of the window's spans."""
        return tuple(span.number for span in self.window)

    @property
    def seen(self) -> tuple[SpanFacts, ...]:
        """What the served model was trained on, as far as it is still there."""
        numbers = (self.served and self.served.spans) or ()
        return tuple(self.known[number] for number in numbers if number in self.known)

    @property
    def new(self) -> tuple[SpanFacts, ...]:
        """Spans of the window that the served model was not trained on."""
        seen = set((self.served and self.served.spans) or ())
        return tuple(span for span in self.window if span.number not in seen)

    @property
    def dropped(self) -> tuple[int, ...]:
        """Numbers of spans that the served model was trained on and that are left out now."""
        seen = set((self.served and self.served.spans) or ())
        return tuple(sorted(seen & set(self.excluded)))

    @property
    def untried(self) -> tuple[SpanFacts, ...]:
        """Those of the new spans that no finished training has seen either."""
        tried = set(self.attempt.spans) if self.attempt else set()
        return tuple(span for span in self.new if span.number not in tried)

    def to_json(self) -> dict[str, Any]:
        """JSON values: what is kept of a decision's inputs."""
        served = self.served and {
            **dataclasses.asdict(self.served),
            "trained": self.served.trained and self.served.trained.isoformat(),
        }
        return {
            "now": self.now.isoformat(),
            "window": [dataclasses.asdict(span) for span in self.window],
            "labels": list(self.labels),
            "excluded": list(self.excluded),
            "served": served,
            "attempt": self.attempt and dataclasses.asdict(self.attempt),
            "refusals": [dataclasses.asdict(refusal) for refusal in self.refusals],
            "under_way": self.under_way,
            "embeddings": self.embeddings and dataclasses.asdict(self.embeddings),
            "in_use": self.in_use and dataclasses.asdict(self.in_use),
            "force": self.force,
        }


def posters(spans: Sequence[SpanFacts]) -> int:
    """How many examples some spans have."""
    return sum(span.posters for span in spans)


def count_label(spans: Sequence[SpanFacts], label: str) -> int:
    """How many examples of some spans carry a label, whether their vocabularies had it or not."""
    return sum(span.labels.get(label, 0) for span in spans)
