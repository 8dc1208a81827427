import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ingest.similar import count_bits, find_clusters


def by_comparing_all(hashes, distance):
    """The same clusters, the slow way."""
    labels = list(range(len(hashes)))
    for one in range(len(hashes)):
        for other in range(one):
            if (hashes[one] ^ hashes[other]).bit_count() <= distance:
                old, new = sorted((labels[one], labels[other]), reverse=True)
                labels = [new if label == old else label for label in labels]
    return labels


def clusters(hashes, distance, linked=()):
    return find_clusters(np.array(hashes, dtype=np.uint64), distance, linked).tolist()


@st.composite
def near_hashes(draw):
    """Hashes of which many lie within a few bits of others."""
    bases = draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4))
    flips = st.lists(st.integers(0, 63), max_size=10)
    found = st.tuples(st.sampled_from(bases), flips)
    hashes = []
    for base, bits in draw(st.lists(found, min_size=1, max_size=25)):
        for bit in bits:
            base ^= 1 << bit
        hashes.append(base)
    return hashes


@given(near_hashes(), st.integers(0, 16))
@settings(deadline=None)
def test_it_finds_what_comparing_all_finds(hashes, distance):
    assert clusters(hashes, distance) == by_comparing_all(hashes, distance)


@pytest.mark.parametrize("distance", [1, 4, 6, 8])
def test_no_pair_is_missed_among_many(distance):
    generator = np.random.default_rng(distance)
    hashes = generator.integers(0, 2**64, 20_000, dtype=np.uint64)
    near = hashes[:500].copy()
    for _ in range(distance):
        near ^= np.uint64(1) << generator.integers(0, 64, 500, dtype=np.uint64)
    found = find_clusters(np.concatenate([hashes, near]), distance)
    assert (found[20_000:] == found[:500]).all()


def test_linked_pairs_belong_together_whatever_their_hashes():
    far = [0, 2**64 - 1, 0xFF00FF00FF00FF00]
    assert clusters(far, 4, [(2, 0)]) == [0, 1, 0]


def test_bits_are_counted():
    values = np.array([0, 1, 2**64 - 1, 0x8000_0000_0000_0001], dtype=np.uint64)
    assert count_bits(values).tolist() == [0, 1, 64, 2]
