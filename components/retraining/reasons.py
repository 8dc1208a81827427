"""One thing that a decision looked at, and the words that the reasons share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal


@dataclasses.dataclass(frozen=True)
class Reason:
    """What was looked at, what it speaks for, and by how much.

    Attributes:
      rule: its name, one for each kind of reason.
      speaks_for: a verdict, or `nothing`: it was looked at and is within its limit.
      sentence: for a person, with the numbers and the limit's key.
      figures: the same as data.
    """

    rule: str
    speaks_for: Literal["run", "skip", "refuse", "nothing"]
    sentence: str
    figures: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def beside_limit(drift: float, limit: float, reached: bool, by_chance: str, key: str) -> str:
    """How a drift stands to its limit, as the end of a sentence.

    Args:
      drift: how far something moved.
      limit: the most that is no reason to run.
      reached: whether it is more than the limit and more than chance.
      by_chance: what says how much may be chance.
      key: the limit's, in the configuration.
    """
    if reached:
        return f"above {limit:g} ({key})"
    if drift > limit:
        return f"which chance alone may do to so few ({by_chance})"
    return f"within {limit:g} ({key})"


def count(number: int, word: str) -> str:
    """`1 poster`, `2 posters`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
