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


def count(number: int, word: str) -> str:
    """`1 poster`, `2 posters`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
