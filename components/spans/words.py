"""Numbers of spans as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers in few words: `ranges([1, 2, 3, 5, 9, 10])` is "1-3, 5, 9, 10"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(
        f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs
    )


def in_words(numbers: Sequence[int]) -> str:
    """`in_words([3])` is "span 3", `in_words([1, 2, 3])` is "spans 1-3"."""
    return f"span{'s' if len(numbers) > 1 else ''} {ranges(numbers)}"
