from hypothesis import given
from hypothesis import strategies as st

from components.ingest.options import SPLITS
from components.ingest.split import position, split_of

SHARES = {"train": 0.7, "eval": 0.15, "test": 0.15}
IDS = st.text(min_size=1, max_size=20)


@given(IDS)
def test_a_position_lies_in_the_half_open_unit_interval(identifier):
    assert 0 <= position(identifier) < 1


def test_the_positions_never_change():
    # Frozen: other values would move examples between the splits of existing data sets.
    assert [round(position(identifier), 6) for identifier in ("114709", "é", "0114709")] == [
        0.902452,
        0.706569,
        0.84435,
    ]


@given(st.lists(IDS, unique=True, min_size=1), st.lists(IDS, unique=True))
def test_a_split_depends_on_nothing_but_the_id(first, later):
    before = {identifier: split_of(identifier, SHARES) for identifier in first}
    after = {identifier: split_of(identifier, SHARES) for identifier in reversed(later + first)}
    assert before.items() <= after.items()


@given(IDS, st.floats(0.05, 0.9), st.floats(0.05, 0.9))
def test_every_id_is_in_one_split_for_any_shares(identifier, train, rest):
    shares = {"train": train, "eval": (1 - train) * rest, "test": (1 - train) * (1 - rest)}
    assert split_of(identifier, shares) in SPLITS


def test_the_order_in_which_shares_are_named_does_not_matter():
    turned = dict(reversed(SHARES.items()))
    ids = [str(number) for number in range(500)]
    assert [split_of(i, SHARES) for i in ids] == [split_of(i, turned) for i in ids]


def test_the_splits_get_their_shares():
    count = 20_000
    splits = [split_of(f"tt{number:07d}", SHARES) for number in range(count)]
    for split, share in SHARES.items():
        assert abs(splits.count(split) / count - share) < 0.01


def test_growing_the_train_share_moves_nothing_out_of_train():
    more = {"train": 0.8, "eval": 0.1, "test": 0.1}
    ids = [str(number) for number in range(2000)]
    assert all(split_of(i, more) == "train" for i in ids if split_of(i, SHARES) == "train")
