"""How evenly each label is spread over the splits, and where it is off."""

from __future__ import annotations

import math
from collections.abc import Mapping

#: By so many standard deviations a label's number in a split may be off by chance. With three
#: splits and some dozen labels, 3.5 is exceeded in about one ingest of a hundred.
_DEVIATIONS = 3.5


def split_shares(kept: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, float]]:
    """For each label the share of its examples that each split has, 0..1, to four places."""
    return {
        label: {
            split: round(count / max(sum(counts.values()), 1), 4) for split, count in counts.items()
        }
        for label, counts in kept.items()
    }


def find_warnings(kept: Mapping[str, Mapping[str, int]], examples: Mapping[str, int]) -> list[str]:
    """One line for each label and split where the label is missing or far off its share.

    Args:
      kept: for each label its number of examples in each split.
      examples: the number of examples in each split.
    """
    total = sum(examples.values())
    lines = []
    for label, counts in kept.items():
        label_total = sum(counts.values())
        for split, count in counts.items():
            share = examples[split] / total if total else 0.0
            expected = label_total * share
            deviation = math.sqrt(expected * (1 - share))
            if not count:
                lines.append(f"{label}: none of its {label_total} examples is in {split}")
            elif abs(count - expected) > _DEVIATIONS * deviation:
                lines.append(
                    f"{label}: {count} of its {label_total} examples are in {split}, "
                    f"where {expected:.0f} would be expected"
                )
    return lines
