from components.ingest.balance import find_warnings, split_shares

EXAMPLES = {"train": 700, "eval": 150, "test": 150}


def test_shares_are_of_each_label():
    kept = {"a": {"train": 6, "eval": 3, "test": 3}, "b": dict.fromkeys(EXAMPLES, 0)}
    assert split_shares(kept) == {
        "a": {"train": 0.5, "eval": 0.25, "test": 0.25},
        "b": {"train": 0.0, "eval": 0.0, "test": 0.0},
    }


def test_an_even_label_is_not_warned_of():
    assert find_warnings({"a": {"train": 140, "eval": 32, "test": 28}}, EXAMPLES) == []


def test_a_label_that_is_off_or_missing_is_named_with_its_numbers():
    lines = find_warnings(
        {
            "a": {"train": 100, "eval": 80, "test": 20},
            "b": {"train": 10, "eval": 2, "test": 0},
        },
        EXAMPLES,
    )
    assert "a: 80 of its 200 examples are in eval, where 30 would be expected" in lines
    assert "b: none of its 12 examples is in test" in lines
