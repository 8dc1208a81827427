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

import collections
from collections.abc import Iterator, Mapping, Sequence
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
    everything = [*members, *(one.member for one in published)]
    if not everything:
        return {}
    clusters: dict[int, list[int]] = collections.defaultdict(list)
    for position, cluster in enumerate(_find_clusters(everything, distance).tolist()):
        clusters[cluster].append(position)
    assignments = {}
    for positions in clusters.values():
        new = [members[position] for position in positions if position < len(members)]
        if not new or len(positions) == 1:
            continue
        old = [published[p - len(members)] for p in positions if p >= len(members)]
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
    of_content = distance is None
    hashes = np.array(
        [
            int.from_bytes(member.content[:8] if of_content else member.perceptual_hash, "big")
            for member in members
        ],
        dtype=np.uint64,
    )
    return find_clusters(hashes, distance or 0, _same_contents(members))


def _same_contents(members: Sequence[Member]) -> Iterator[tuple[int, int]]:
    first: dict[bytes, int] = {}
    for position, member in enumerate(members):
        earlier = first.setdefault(member.content, position)
        if earlier != position:
            yield earlier, position
