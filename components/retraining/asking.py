"""Looks at data, models and records, and decides; the same on this machine and in a container."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.errors import PostersError
from components.gate import refusals
from components.paths import to_path
from components.retraining import decision, records, served
from components.retraining.decision import Decision
from components.retraining.question import Question
from components.retraining.records import Record
from components.retraining.situation import Attempt, GateRefusal, Situation, SpanFacts
from components.spans import choice, reading
from components.spans.reading import Span

#: Outcomes of a training that came to a verdict on its model.
_VERDICTS = ("pushed", "held", "refused")


@dataclasses.dataclass(frozen=True)
class Finished:
    """A training that came to a verdict.

    Attributes:
      name: the run, or the decision that started it; by name they are in the order of time.
      spans: SHA-256 of every span's manifest, by number.
      verdict: see `situation.Attempt`.
      basis: see `Question.training_basis`.
    """

    name: str
    spans: Mapping[int, str]
    verdict: str
    basis: str


@dataclasses.dataclass(frozen=True)
class Asked:
    """A decision, what it was made of, and the window it is about.

    Attributes:
      situation: the facts.
      decision: what to do.
      window: the spans that a run trains on.
    """

    situation: Situation
    decision: Decision
    window: tuple[Span, ...]

    def record(self, question: Question) -> Record:
        """As it is kept."""
        return Record(
            id=self.situation.now.strftime(records.ID),
            reasons=tuple(self.decision.to_json()["reasons"]),
            verdict=self.decision.verdict,
            inputs=self.situation.to_json(),
            settings=question.to_json(),
        )


def ask(
    question: Question,
    finished: Sequence[Finished] = (),
    force: str | None = None,
    allow_anomalies: bool = False,
    under_way: str | None = None,
) -> Asked:
    """Decides whether to train.

    Args:
      question: see there.
      finished: trainings that are known otherwise than by decisions.
      force: a person's reason to train whatever is found.
      allow_anomalies: whether the gate is to let through what it refused before.
      under_way: what is under way already, in words.

    Raises:
      PostersError: there is no data, or it cannot be read.
    """
    situation, window, model, there = _look(question, finished, force, allow_anomalies, under_way)
    limits = (question.settings, question.min_label_posters)
    if model is not None and decision.wants_requests(situation, *limits):
        situation = _with_requests(situation, model, there, question)
    if model is not None and decision.wants_embeddings(situation, *limits):
        new = {span.number for span in situation.new}
        spans = [span for span in window if span.number in new]
        situation = _with_embeddings(situation, model, spans, question)
    return Asked(situation, decision.decide(situation, *limits), window)


def _look(
    question: Question,
    finished: Sequence[Finished],
    force: str | None,
    allow_anomalies: bool,
    under_way: str | None,
) -> tuple[Situation, tuple[Span, ...], Any, Mapping[int, Span]]:
    """The facts, the window, the served model's folder, and every span by its number."""
    root = to_path(question.data_root)
    there = {number: reading.read(root, number) for number in reading.numbers(root)}
    if not there:
        raise PostersError(
            f"data_root: {root} holds no span-<N> folder of examples. Write it with: posters "
            f"ingest --csv FILE --images FOLDER --out {root}"
        )
    numbers = choice.choose(
        question.window,
        list(there),
        lambda number: there[number].date,
        str(root),
        exclude=question.exclude_spans,
    )
    window = tuple(there[number] for number in numbers)
    manifests = {number: span.digest for number, span in there.items()}
    found = served.find(to_path(question.models_folder))
    refused = (
        [] if allow_anomalies else refusals.find(question.accepted_folder, question.gate_basis)
    )
    situation = Situation(
        now=datetime.datetime.now(datetime.timezone.utc),
        window=tuple(map(facts, window)),
        labels=reading.read_vocabulary(window[-1].folder),
        known={number: facts(span) for number, span in there.items()},
        excluded=question.exclude_spans,
        served=found and served.describe(*found, manifests),
        attempt=_last(question, finished, manifests),
        refusals=tuple(
            GateRefusal(tuple(sorted(refusal.manifests)), refusal.findings)
            for refusal in refused
            if refusal.manifests.items()
            <= {number: manifests[number] for number in numbers}.items()
        ),
        under_way=under_way,
        force=force,
    )
    return situation, window, found and found[0], there


def facts(span: Span) -> SpanFacts:
    """A span as decisions look at it."""
    return SpanFacts(
        number=span.number,
        manifest=span.digest,
        date=span.date and span.date.isoformat(),
        examples=span.examples,
        labels={label: sum(counts.values()) for label, counts in span.labels.items()},
        in_train={label: counts.get("train", 0) for label, counts in span.labels.items()},
    )


def _last(
    question: Question, finished: Sequence[Finished], manifests: Mapping[int, str]
) -> Attempt | None:
    """The last training with these settings that came to a verdict."""
    fitting = [each for each in finished if each.basis == question.training_basis]
    for record in records.read_all(to_path(question.decisions_folder)):
        outcome, basis = record.outcome, record.settings["training_basis"]
        if outcome and outcome.status in _VERDICTS and basis == question.training_basis:
            name = outcome.run or record.id
            fitting.append(Finished(name, record.spans, outcome.status, basis))
            break
    if not fitting:
        return None
    last = max(fitting, key=lambda each: each.name)
    spans = tuple(
        number for number, digest in sorted(last.spans.items()) if manifests.get(number) == digest
    )
    return Attempt(last.name, spans, last.verdict)


def _with_requests(
    situation: Situation, model: Any, there: Mapping[int, Span], question: Question
) -> Situation:
    # Loads TensorFlow, and the model.
    from components.retraining import looking_in_use

    settings = question.settings
    seen = [there[span.number] for span in situation.seen]
    found = looking_in_use.look(
        model,
        situation.served.labels,
        seen,
        settings.in_use,
        settings.embedding_sample,
        question.image_feature,
    )
    return dataclasses.replace(situation, in_use=found)


def _with_embeddings(
    situation: Situation, model: Any, spans: Sequence[Span], question: Question
) -> Situation:
    # Loads TensorFlow, and the model.
    from components.retraining import looking

    sample = question.settings.embedding_sample
    try:
        found = looking.compare(model, spans, sample, question.image_feature)
    except looking.NotComparableError as error:
        return dataclasses.replace(situation, no_embeddings=str(error))
    return dataclasses.replace(situation, embeddings=found)


def spans_json(window: Sequence[Span]) -> str:
    """The window as ExampleGen reads it at run time."""
    return json.dumps({str(span.number): span.digest for span in window})
