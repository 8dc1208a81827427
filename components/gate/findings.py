"""One thing that the gate found wrong."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Finding:
    """What is wrong, where, by how much, and what to do about it.

    Attributes:
      rule: which rule found it: a kind of TFDV's anomalies, or `EMPTY_SPLIT` and the like.
      split: the split it was found in; None for the spans as a whole.
      feature: the feature it is about; None if about examples as such.
      problem: a sentence with the numbers and the limit's name.
      remedy: a sentence with what to do.
      examples: ids of some examples that show it, where single examples do.
    """

    rule: str
    split: str | None
    feature: str | None
    problem: str
    remedy: str
    examples: tuple[str, ...] = ()

    def describe(self) -> str:
        """Several lines for a person."""
        where = ", ".join(part for part in (self.split, self.feature) if part) or "all splits"
        lines = [f"[{self.rule}] {where}: {self.problem}."]
        if self.examples:
            lines.append(f"    such as: {', '.join(self.examples)}")
        lines.append(f"    {self.remedy}.")
        return "\n".join(lines)
