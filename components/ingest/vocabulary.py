"""Labels: reading them from a cell, counting them, and choosing which to keep."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Mapping

from components.errors import PostersError

_LARGEST_SHOWN = 5


def split_labels(cell: str, separator: str) -> tuple[str, ...]:
    """The labels in a cell, in its order, without empty ones and repeats.

    Spaces inside a label become one, so that a line end in a cell cannot break the vocabulary's
    file: `split_labels(" Drama||Film  Noir|Drama", "|")` is `("Drama", "Film Noir")`.
    """
    labels = (" ".join(label.split()) for label in cell.split(separator))
    return tuple(dict.fromkeys(label for label in labels if label))


def count_labels(examples: Iterable[tuple[str, ...]]) -> dict[str, int]:
    """How many examples carry each label, the most frequent first, then by name."""
    counts = collections.Counter(label for labels in examples for label in labels)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def choose_vocabulary(train_counts: Mapping[str, int], min_count: int) -> tuple[str, ...]:
    """The labels with at least `min_count` train examples, most frequent first, then by name.

    Raises:
      PostersError: there is none.
    """
    ordered = sorted(train_counts, key=lambda label: (-train_counts[label], label))
    kept = tuple(label for label in ordered if train_counts[label] >= min_count)
    if not kept:
        largest = ", ".join(f"{label} {train_counts[label]}" for label in ordered[:_LARGEST_SHOWN])
        raise PostersError(
            f"no label has {min_count} examples in the train split; the largest are: "
            f"{largest or 'none at all'}. Lower the limit with --set ingest.min_label_count=..."
        )
    return kept
