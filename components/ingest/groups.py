"""Which images belong together, and which split each group lands in.

The rule, in full:

- Images are in one group when their contents are the same, when their perceptual hashes differ in
  few bits, or when other images join them so, published ones included.
- A group with published images is in their split: what was published never moves.
- A group without is in the split of its smallest id (`split.split_of`): numbers by value, then
  other text. So the order of the table does not matter; and because ids are mostly handed out in
  rising order, later images seldom change it even where the earlier ones are ingested afresh.
- A group whose published images are in several splits is a conflict: neither may move, and the new
  ones would leak from one into the other, so these are put aside.

One worker holds all of it: about 300 bytes an image, ids included, so that ten million fit into
4 GB. For more, divide the source into several data roots.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from components.ingest.similar import find_clusters
from components.ingest.split import split_of


class Member(NamedTuple):
    """One image: its id, SHA-256 of its content, and the 8 bytes of its perceptual hash."""

    id: str
    content: bytes
    perceptual_hash: bytes


class Published(NamedTuple):
    """One image of an earlier span, with its group and split."""

    member: Member
    group: str
    split: str


class Assignment(NamedTuple):
    """Where an image lands.

    Attributes:
      group: the group's name: its smallest id when it was first published.
      split: empty if the image is put aside.
      detail: why it is put aside, in words.
    """

    group: str
    split: str
    detail: str = ""


def assign_groups(
    members: Sequence[Member],
    published: Sequence[Published],
    distance: int | None,
    shares: Mapping[str, float],
) -> dict[str, Assignment]:
    """Assigns the images that are not alone; any other is its own group, by `assign_alone`.

    Args:
      members: the new images, of distinct ids, in any order.
      published: those of all earlier spans.
      distance: the most bits in which hashes of a group differ; None goes by the content alone.
      shares: share of each split.
    """
    everything = [*members, *(one.member for one in published)] if published else members
    if not everything:
        return {}
    clusters = _find_clusters(everything, distance)
    # Most images are alone: only the others become Python objects.
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    assignments = {}
    for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
        positions = order[start : start + size].tolist()
        new = [members[position] for position in positions if position < len(members)]
        old = [published[p - len(members)] for p in positions if p >= len(members)]
        if new:
            assignment = _assign(new, old, shares)
            assignments.update({member.id: assignment for member in new})
    return assignments


def assign_alone(identifier: str, shares: Mapping[str, float]) -> Assignment:
    """Where an image lands that is its own group."""
    return Assignment(identifier, split_of(identifier, shares))


def order_of(identifier: str) -> tuple[bool, int, str, str]:
    """What ids are sorted by: numbers by value, then other text.

    `sorted(["b", "10", "9"], key=order_of)` is `["9", "10", "b"]`.
    """
    if identifier.isascii() and identifier.isdigit():
        digits = identifier.lstrip("0")
        return False, len(digits), digits, identifier
    return True, 0, identifier, identifier


def _assign(
    new: Sequence[Member], old: Sequence[Published], shares: Mapping[str, float]
) -> Assignment:
    if not old:
        return assign_alone(min((member.id for member in new), key=order_of), shares)
    first: dict[str, Published] = {}
    for one in sorted(old, key=lambda one: order_of(one.member.id)):
        first.setdefault(one.split, one)
    if len(first) == 1:
        (one,) = first.values()
        return Assignment(min((one.group for one in old), key=order_of), one.split)
    where = " and ".join(f"{one.member.id} in {split}" for split, one in sorted(first.items()))
    return Assignment("", "", f"it looks like published images of different splits: {where}")


def _find_clusters(members: Sequence[Member], distance: int | None) -> np.ndarray:
    contents = _to_numbers(member.content[:8] for member in members)
    hashes = contents
    if distance is not None:
        hashes = _to_numbers(member.perceptual_hash for member in members)
    return find_clusters(hashes, distance or 0, _same_contents(members, contents))


def _to_numbers(values: Iterable[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(values), dtype=">u8").astype(np.uint64)


def _same_contents(members: Sequence[Member], starts: np.ndarray) -> Iterator[tuple[int, int]]:
    """Positions of pairs with one content; `starts` are its first 8 bytes, as numbers."""
    _, inverse, counts = np.unique(starts, return_inverse=True, return_counts=True)
    first: dict[bytes, int] = {}
    for position in np.flatnonzero(counts[inverse] > 1).tolist():
        earlier = first.setdefault(members[position].content, position)
        if earlier != position:
            yield earlier, position
