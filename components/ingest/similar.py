"""Finding near pairs among very many 64-bit hashes, exactly, without comparing all with all."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np

_BITS = 64
_POPCOUNT = np.array([value.bit_count() for value in range(1 << 16)], dtype=np.uint8)
#: Bits that a table's keys have at least beyond those that tell all hashes apart.
_SPARE_BITS = 2


def find_clusters(
    hashes: np.ndarray, distance: int, linked: Iterable[tuple[int, int]] = ()
) -> np.ndarray:
    """Joins hashes that differ in few bits, and those joined by others between them.

    Pairs are found by pigeonhole: cut into `distance + k` bands, two hashes that differ in at most
    `distance` bits agree in k bands at least. So for each choice of k bands the hashes are sorted
    by these, and only those that agree are compared. k grows with the number of hashes, so that
    few agree by chance: time grows little faster than their number, memory by about 40 bytes each.

    Args:
      hashes: (N,) uint64.
      distance: the most bits in which two near hashes differ, 0..16.
      linked: positions of pairs that belong together whatever their hashes.

    Returns:
      (N,) int64: for each hash the smallest position of one in its cluster.
    """
    unique, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    parents = np.arange(len(unique))
    if distance:
        for left, right in _near_pairs(unique, distance):
            for one, other in zip(left.tolist(), right.tolist(), strict=True):
                _join(parents, one, other)
    for one, other in linked:
        _join(parents, inverse[one], inverse[other])
    roots = np.array([_root(parents, index) for index in range(len(unique))], dtype=np.int64)
    smallest = np.full(len(unique), len(hashes), dtype=np.int64)
    np.minimum.at(smallest, roots, first)
    return smallest[roots][inverse]


def count_bits(values: np.ndarray) -> np.ndarray:
    """The number of set bits in each uint64, as uint8."""
    parts = values.view(np.uint16).reshape(len(values), 4)
    return _POPCOUNT[parts].sum(axis=1, dtype=np.uint8)


def _near_pairs(hashes: np.ndarray, distance: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions of near pairs in `hashes`, which are unique; a pair may come more than once."""
    for mask in _masks(len(hashes), distance):
        keys = hashes & mask
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        alive = np.flatnonzero(keys[1:] == keys[:-1])
        step = 1
        while len(alive):
            left, right = order[alive], order[alive + step]
            near = count_bits(hashes[left] ^ hashes[right]) <= distance
            if near.any():
                yield left[near], right[near]
            step += 1
            alive = alive[alive + step < len(keys)]
            alive = alive[keys[alive] == keys[alive + step]]


def _masks(count: int, distance: int) -> Iterator[np.uint64]:
    """For each choice of bands a mask of their bits."""
    wanted = count.bit_length() + _SPARE_BITS
    agreeing = 1
    while _BITS * agreeing // (distance + agreeing) < wanted and distance + agreeing < _BITS:
        agreeing += 1
        if agreeing == 4:  # more would be too many choices
            break
    bands = distance + agreeing
    edges = [_BITS * band // bands for band in range(bands + 1)]
    of_band = [((1 << edges[band + 1]) - (1 << edges[band])) for band in range(bands)]
    for chosen in itertools.combinations(of_band, agreeing):
        yield np.uint64(sum(chosen))


def _root(parents: np.ndarray, index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return int(index)


def _join(parents: np.ndarray, one: int, other: int) -> None:
    one, other = _root(parents, one), _root(parents, other)
    parents[max(one, other)] = min(one, other)
