"""The gate's rules about numbers of examples and labels, on plain numbers.

What single values may be is the schema's to say; see `anomalies`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from components.gate import chance
from components.gate.facts import SplitFacts
from components.gate.findings import Finding
from components.gate.settings import GateSettings

EMPTY_SPLIT = "EMPTY_SPLIT"
FEW_EXAMPLES = "FEW_EXAMPLES"
MISSING_LABEL = "MISSING_LABEL"
UNKNOWN_LABEL = "UNKNOWN_LABEL"
SHRUNK = "SHRUNK"
#: How many labels a sentence names.
_NAMED = 8
_INGEST_MORE = "Ingest more examples, or give the split more of them with ingest.split_shares"


@dataclasses.dataclass(frozen=True)
class Data:
    """What the rules look at.

    Attributes:
      splits: every split of the new spans, by name.
      labels_feature: what the feature with the labels is called.
      vocabulary: every label that a model learns.
      window: the same splits of all that is trained on, of which the new spans are a part; None if
        they are all of it.
      spans: how many spans are new.
    """

    splits: Mapping[str, SplitFacts]
    labels_feature: str
    vocabulary: Sequence[str]
    window: Mapping[str, SplitFacts] | None = None
    spans: int = 1


def check(
    data: Data, settings: GateSettings, usual: Mapping[str, float] | None = None
) -> list[Finding]:
    """Everything wrong with the new spans, and with what they and the others are together.

    Whether there is enough of everything is asked of all that is trained on: a week's posters need
    not have every label.

    Args:
      data: the spans.
      settings: the limits.
      usual: how many examples a span has in each split, if that is known.
    """
    findings = []
    for split, facts in (data.window or data.splits).items():
        if not facts.examples:
            findings.append(_empty(split))
            continue  # every other rule would only say the same again
        findings += _few(split, facts, settings)
        findings += _missing(split, facts, data, settings)
        findings += _unknown(split, data.splits[split], data, settings)
    if usual is not None:
        findings += _shrunk(data, usual, settings)
    return findings


def _empty(split: str) -> Finding:
    purpose = {"train": "train on", "eval": "stop and calibrate by", "test": "measure with"}
    problem = f"the split has 0 examples, so there is nothing to {purpose.get(split, 'use')}"
    return Finding(EMPTY_SPLIT, split, None, problem, _INGEST_MORE)


def _few(split: str, facts: SplitFacts, settings: GateSettings) -> Iterator[Finding]:
    least = getattr(settings.min_examples, split, 0)
    if facts.examples < least:
        problem = (
            f"the split has {facts.examples} examples; at least {least} are wanted "
            f"(gate.min_examples.{split})"
        )
        yield Finding(FEW_EXAMPLES, split, None, problem, _INGEST_MORE)


def _missing(
    split: str, facts: SplitFacts, data: Data, settings: GateSettings
) -> Iterator[Finding]:
    least = getattr(settings.min_examples_by_label, split, 0)
    rare = [label for label in data.vocabulary if facts.labels.get(label, 0) < least]
    if rare:
        counts = _name([f"{label} {facts.labels.get(label, 0)}" for label in rare])
        problem = (
            f"{len(rare)} label(s) of the vocabulary have fewer than {least} of "
            f"{facts.examples} examples (gate.min_examples_by_label.{split}): {counts}"
        )
        remedy = (
            "Look for what became of them in the source and in rejected.csv; if they are gone for "
            "good, ingest into a new data root, whose vocabulary will lack them"
        )
        yield Finding(MISSING_LABEL, split, data.labels_feature, problem, remedy)


def _unknown(
    split: str, facts: SplitFacts, data: Data, settings: GateSettings
) -> Iterator[Finding]:
    known = set(data.vocabulary)
    unknown = {label: count for label, count in facts.labels.items() if label not in known}
    total = sum(unknown.values())
    if total > settings.max_unknown_labels:
        counts = _name([f"{label} {count}" for label, count in unknown.items()])
        problem = (
            f"{len(unknown)} label(s) outside the vocabulary occur {total} times, and at most "
            f"{settings.max_unknown_labels} is allowed (gate.max_unknown_labels): {counts}"
        )
        remedy = (
            "Correct a misspelt label in the source, or ingest into a new data root, whose "
            "vocabulary will have it"
        )
        yield Finding(UNKNOWN_LABEL, split, data.labels_feature, problem, remedy)


def _shrunk(data: Data, usual: Mapping[str, float], settings: GateSettings) -> Iterator[Finding]:
    def compare(split: str | None, count: float, earlier: float) -> Iterator[Finding]:
        share = settings.min_share_of_previous
        if count < min(share * earlier, chance.fewest(earlier)):
            each = "" if data.spans == 1 else f" in each of {data.spans} new spans"
            problem = (
                f"{count:g} examples{each}, and {earlier:g} in the spans before: "
                f"{count / earlier:.0%} of them, and at least {share:.0%} is wanted "
                "(gate.min_share_of_previous)"
            )
            remedy = "Look for rows and images that are gone from the source, and ingest again"
            yield Finding(SHRUNK, split, None, problem, remedy)

    now = {split: facts.examples / data.spans for split, facts in data.splits.items()}
    total = list(compare(None, sum(now.values()), sum(usual.values())))
    yield from total
    if not total:  # else each split would say it once more
        everything = data.window or data.splits
        for split, count in now.items():
            # Where the window has none of it either, that is said already.
            if split in usual and everything[split].examples:
                yield from compare(split, count, usual[split])


def _name(items: Sequence[str]) -> str:
    more = f" and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return ", ".join(items[:_NAMED]) + more
