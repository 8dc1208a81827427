"""Labels: reading them from a cell, counting them, and choosing which to keep."""

from __future__ import annotations

from collections.abc import Mapping

from components.errors import PostersError

_LARGEST_SHOWN = 5


def split_labels(cell: str, separator: str) -> tuple[str, ...]:
    """The labels in a cell, in its order, without empty ones and repeats.

    Spaces inside a label become one, so that a line end in a cell cannot break the vocabulary's
    file: `split_labels(" Drama||Film  Noir|Drama", "|")` is `("Drama", "Film Noir")`.
    """
    labels = (" ".join(label.split()) for label in cell.split(separator))
    return tuple(dict.fromkeys(label for label in labels if label))


def choose_vocabulary(train_counts: Mapping[str, int], min_count: int) -> tuple[str, ...]:
    """The labels with at least `min_count` train examples, most frequent first, then by name."""
    ordered = sort_labels(train_counts)
    return tuple(label for label in ordered if train_counts[label] >= min_count)


def grow_vocabulary(
    vocabulary: tuple[str, ...], train_counts: Mapping[str, int], min_count: int
) -> tuple[str, ...]:
    """The vocabulary, and at its end the other labels with at least `min_count` train examples.

    What was there keeps its place: `grow_vocabulary(("War",), {"War": 1, "News": 5}, 5)` is
    `("War", "News")`.
    """
    others = {label: count for label, count in train_counts.items() if label not in vocabulary}
    return vocabulary + choose_vocabulary(others, min_count)


def sort_labels(counts: Mapping[str, int]) -> list[str]:
    """The labels, the most frequent first, then by name."""
    return sorted(counts, key=lambda label: (-counts[label], label))


def no_label_error(train_counts: Mapping[str, int], min_count: int) -> PostersError:
    """What to tell when `choose_vocabulary` finds none."""
    ordered = sort_labels(train_counts)[:_LARGEST_SHOWN]
    largest = ", ".join(f"{label} {train_counts[label]}" for label in ordered)
    return PostersError(
        f"no label has {min_count} examples in the train split; the largest are: "
        f"{largest or 'none at all'}. Lower the limit with --set ingest.min_label_count=..."
    )
