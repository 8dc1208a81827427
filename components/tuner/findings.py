"""What a search found: as data, and as a short table."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from components.trainer.hyperparameters import Value, decode
from components.tuner.trial import Outcome

#: Rows of the table: the best, after the given settings.
_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class Tried:
    """One trial.

    Attributes:
      id: keras-tuner's.
      outcome: see `trial.Outcome`.
      values: encoded, by key, see `hyperparameters`; what it leaves out was as given.
    """

    id: str
    outcome: Outcome
    values: dict[str, Value]


@dataclasses.dataclass(frozen=True)
class Findings:
    """All trials, and the one that the Trainer is to follow.

    Attributes:
      tried: in order, the given settings first.
      chosen: one of them.
      confidence: how sure it is that the best of the others beats the given ones, in [0, 1]; None
        if none of them finished.
      needed: how sure it had to be.
    """

    tried: Sequence[Tried]
    chosen: Tried
    confidence: float | None
    needed: float

    @property
    def best(self) -> Tried:
        """Of those that finished, the one with the highest score; the given one if none did."""
        finished = [tried for tried in self.tried if tried.outcome.state == "finished"]
        return max(finished, key=lambda tried: tried.outcome.score, default=self.tried[0])

    @property
    def verdict(self) -> str:
        """Why `chosen` was chosen, in words."""
        given = self.tried[0]
        if self.confidence is None:
            return "no other trial came to its end: the given settings stay"
        gain = f"{self.best.outcome.score - given.outcome.score:+.4f}"
        if self.chosen is not given:
            return f"trial {self.chosen.id} it is: {gain}, sure to {self.confidence:.2f}"
        if self.best is given:
            return "none ranks eval better than the given settings, which stay"
        return (
            f"the given settings stay: the best is {gain}, sure to {self.confidence:.2f} where "
            f"tuner.confidence wants {self.needed:.2f}"
        )

    def to_json(self) -> str:
        """Every trial, what was chosen and why."""
        content = {
            "objective": "macro average precision on the eval split",
            "chosen": self.chosen.id,
            "verdict": self.verdict,
            "confidence": self.confidence,
            "trials": [
                {
                    "id": tried.id,
                    "state": tried.outcome.state,
                    "score": tried.outcome.score,
                    "macro_auc": tried.outcome.curve,
                    "seconds": round(tried.outcome.seconds, 3),
                    "settings": _decoded(tried.values),
                }
                for tried in self.tried
            ],
        }
        return json.dumps(content, indent=1)

    def table(self) -> Table:
        """The given settings and the best others: score, seconds, and what differs."""
        table = Table(title="Tuner: macro average precision on eval", title_justify="left")
        for heading in ("trial", "score", "seconds"):
            table.add_column(heading, justify="right")
        table.add_column("settings")
        given, *others = self.tried
        finished = [tried for tried in others if tried.outcome.state == "finished"]
        best = sorted(finished, key=lambda tried: -tried.outcome.score)[:_SHOWN]
        for tried in (given, *best):
            values = tried.values if tried is given else _differing(given.values, tried.values)
            table.add_row(
                f"{tried.id}{' *' if tried is self.chosen else ''}",
                f"{tried.outcome.score:.4f}",
                f"{tried.outcome.seconds:.1f}",
                ", ".join(f"{key} {_short(value)}" for key, value in values.items()),
            )
        return table


def _decoded(values: dict[str, Value]) -> dict[str, Any]:
    return {key: decode(value) for key, value in values.items()}


def _differing(given: dict[str, Value], values: dict[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in values.items() if given.get(key) != value}


def _short(value: Value) -> str:
    shown = decode(value)
    if isinstance(shown, dict):
        # A weight of one goes without saying.
        return " + ".join(
            name if weight == 1 else f"{weight:g} {name}" for name, weight in shown.items()
        )
    return f"{shown:.3g}" if isinstance(shown, float) else str(shown)
