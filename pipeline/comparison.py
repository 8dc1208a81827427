"""Two runs side by side: figures, what they differ by, and whether that is more than noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from components.errors import PostersError
from components.evaluator import bootstrap, predictions
from components.evaluator.counts import DECISION_POINT
from components.evaluator.predictions import Predictions
from components.report.view import flat
from pipeline.runs import Run

#: The mean over the labels that both runs know, as a row among them.
MACRO = "macro"
_SIDES = ("first", "second")


@dataclasses.dataclass(frozen=True)
class Row:
    """F1 of one label, or the mean over those that both know.

    Attributes:
      label: its name, or `MACRO`.
      first: of the first run; None if that does not know the label.
      second: of the second.
      interval: of second less first, on the same examples; None if there are no such.
    """

    label: str
    first: float | None
    second: float | None
    interval: tuple[float, float] | None = None

    @property
    def difference(self) -> float | None:
        """Second less first; None if one is not known."""
        return None if None in (self.first, self.second) else self.second - self.first


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What two runs differ by.

    Attributes:
      rows: a label each, those of the first run first, and the mean at last.
      settings: key and both values of every setting that differs; None where a run lacks the key.
      examples: the test examples that both were measured on; None if these differ.
      note: why there are no intervals, or None if there are.
    """

    rows: tuple[Row, ...]
    settings: tuple[tuple[str, str | None, str | None], ...]
    examples: int | None
    note: str | None


def compare(first: Run, second: Run) -> Comparison:
    """Compares two runs, whatever became of them."""
    paired, note = _paired(first, second)
    intervals = _intervals(*paired) if paired else {}
    one, other = first.by_label(), second.by_label()
    rows = []
    for label in dict.fromkeys([*one, *other]):
        values = (found.get(label, {}).get("f1") for found in (one, other))
        rows.append(Row(label, *values, intervals.get(label)))
    if common := [row for row in rows if row.difference is not None]:
        means = (float(np.mean([getattr(row, key) for row in common])) for key in _SIDES)
        rows.append(Row(MACRO, *means, intervals.get(MACRO)))
    examples = len(paired[0].ids) if paired else None
    return Comparison(tuple(rows), _settings(first, second), examples, note)


def _settings(first: Run, second: Run) -> tuple[tuple[str, str | None, str | None], ...]:
    one, other = (dict(flat(run.summary.get("config") or {})) for run in (first, second))
    keys = dict.fromkeys([*one, *other])
    return tuple(
        (key, one.get(key), other.get(key)) for key in keys if one.get(key) != other.get(key)
    )


def _paired(first: Run, second: Run) -> tuple[tuple[Predictions, Predictions] | None, str | None]:
    """Both runs' answers on the same examples in the same order, or why there are no such."""
    found = []
    for run in (first, second):
        evaluation = run.output("Evaluator", "evaluation")
        if evaluation is None:
            return None, f"run {run.id} measured nothing"
        try:
            found.append(predictions.read(evaluation))
        except PostersError:
            return None, f"the answers of run {run.id} are no longer there"
    one, other = found
    if not np.array_equal(one.ids, other.ids):
        return None, "they were measured on different examples"
    common = _common(one, other)
    if not np.array_equal(_truth(one, common), _truth(other, common)):
        return None, "the same examples have different labels in the two"
    if not (np.isfinite(one.scores).all() and np.isfinite(other.scores).all()):
        return None, "some scores are not numbers"
    return (one, other), None


def _intervals(one: Predictions, other: Predictions) -> dict[str, tuple[float, float]]:
    """By label and of the mean, the paired interval of what F1 differs by."""
    common = _common(one, other)
    if not common:
        return {}
    decisions = [
        answers.scores[:, _places(answers, common)] > DECISION_POINT for answers in (one, other)
    ]
    before, after = bootstrap.f1_resamples(_truth(one, common), decisions)
    differences = np.column_stack([after - before, (after - before).mean(axis=1)])
    low, high = bootstrap.interval(differences)
    return {
        name: (float(low[place]), float(high[place])) for place, name in enumerate([*common, MACRO])
    }


def _common(one: Predictions, other: Predictions) -> list[str]:
    return [label for label in one.labels if label in other.labels]


def _places(answers: Predictions, labels: Sequence[str]) -> list[int]:
    return [answers.labels.index(label) for label in labels]


def _truth(answers: Predictions, labels: Sequence[str]) -> Any:
    return answers.truth[:, _places(answers, labels)]
