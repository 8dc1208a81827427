"""The rule in `groups`: disjoint, stable under growth, and the same in any order."""

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from components.ingest.groups import Member, Published, assign_alone, assign_groups, order_of
from components.ingest.split import split_of

SHARES = {"train": 0.5, "eval": 0.25, "test": 0.25}
DISTANCE = 4
# Few bits, so that many are near and chains and bridges arise.
IMAGES = st.dictionaries(
    st.text("0123456789ab/.", min_size=1, max_size=4), st.integers(0, 2**9 - 1), max_size=14
)


def member(identifier, bits):
    # Spread apart: one bit of the number is two of the hash.
    value = sum(3 << (7 * bit) for bit in range(9) if bits >> bit & 1)
    content = hashlib.sha256(str(bits).encode()).digest()
    return Member(identifier, content, value.to_bytes(8, "big"))


def place(new, published=()):
    """Each id's (group, split); an empty split is put aside."""
    members = [member(*item) for item in new.items()]
    assigned = assign_groups(members, published, DISTANCE, SHARES)
    return {i: tuple(assigned.get(i, assign_alone(i, SHARES)))[:2] for i in new}


def publish(images, placed):
    return [
        Published(member(i, images[i]), group, split)
        for i, (group, split) in placed.items()
        if split
    ]


def near(one, other):
    return (
        int.from_bytes(member("", one).perceptual_hash, "big")
        ^ int.from_bytes(member("", other).perceptual_hash, "big")
    ).bit_count() <= DISTANCE


def assert_disjoint(images, placed):
    for one, (_, split) in placed.items():
        for other, (_, other_split) in placed.items():
            if split and other_split and near(images[one], images[other]):
                assert split == other_split


@given(IMAGES)
@settings(deadline=None)
def test_splits_are_disjoint_by_group(images):
    placed = place(images)
    assert all(split for _, split in placed.values())
    assert_disjoint(images, placed)


@given(IMAGES, st.randoms())
@settings(deadline=None)
def test_the_order_does_not_matter(images, random):
    items = list(images.items())
    random.shuffle(items)
    assert place(dict(items)) == place(images)


@given(st.lists(IMAGES, min_size=2, max_size=4))
@settings(deadline=None)
def test_growth_moves_nothing_and_leaks_nothing(spans):
    images, placed, published = {}, {}, []
    for span in spans:
        new = {i: bits for i, bits in span.items() if i not in images}
        before = dict(placed)
        placed.update(place(new, published))
        images.update(new)
        published += publish(new, {i: placed[i] for i in new})
        assert before.items() <= placed.items()
        assert_disjoint(images, placed)


@given(IMAGES)
@settings(deadline=None)
def test_an_image_alone_is_in_its_ids_split(images):
    for identifier, (group, split) in place(images).items():
        if not any(near(images[identifier], images[i]) for i in images if i != identifier):
            assert (group, split) == (identifier, split_of(identifier, SHARES))


def test_a_group_is_in_its_smallest_ids_split():
    placed = place({"90": 0, "100": 0, "copy": 1})
    assert set(placed.values()) == {("90", split_of("90", SHARES))}


def test_contents_alone_are_compared_without_a_distance():
    members = [member("1", 0), member("2", 0), member("3", 1)]
    assigned = assign_groups(members, [], None, SHARES)
    assert set(assigned) == {"1", "2"}


def test_numbers_come_by_value_and_before_other_text():
    ids = ["b", "10", "9", "a10", "010", "é"]
    assert sorted(ids, key=order_of) == ["9", "010", "10", "a10", "b", "é"]


def test_what_joins_two_published_splits_is_put_aside():
    published = [Published(member(i, 0), i, split) for i, split in (("1", "train"), ("2", "test"))]
    assigned = assign_groups([member("3", 1)], published, DISTANCE, SHARES)["3"]
    assert assigned.split == ""
    assert "2 in test and 1 in train" in assigned.detail
