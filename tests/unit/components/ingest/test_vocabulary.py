import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.ingest.vocabulary import choose_vocabulary, no_label_error, split_labels


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("Drama|Comedy", ("Drama", "Comedy")),
        (" Drama ||Film \n Noir|Drama|", ("Drama", "Film Noir")),
        ("", ()),
        (" | ", ()),
        ("Sci-Fi", ("Sci-Fi",)),
        ("Drama, Comedy", ("Drama, Comedy",)),
    ],
)
def test_labels_are_split_stripped_and_not_repeated(cell, labels):
    assert split_labels(cell, "|") == labels


def test_a_separator_may_be_longer_than_one_character():
    assert split_labels("a, b,c", ", ") == ("a", "b,c")


@given(st.text(alphabet="ab| \n\t\u2028\x85é"))
def test_labels_are_always_distinct_single_lines(cell):
    labels = split_labels(cell, "|")
    assert len(set(labels)) == len(labels)
    assert all(label.splitlines() == [label] and label == label.strip() for label in labels)
    assert split_labels("|".join(labels), "|") == labels


@given(st.dictionaries(st.text(min_size=1), st.integers(1, 50), min_size=1), st.integers(1, 50))
def test_the_vocabulary_is_the_frequent_labels_in_order(counts, least):
    if max(counts.values()) < least:
        return
    kept = choose_vocabulary(counts, least)
    assert set(kept) == {label for label, count in counts.items() if count >= least}
    assert list(kept) == sorted(kept, key=lambda label: (-counts[label], label))


def test_no_frequent_label_names_the_largest_and_the_option():
    message = str(no_label_error({"Comedy": 3, "Drama": 9}, 10))
    assert "Drama 9, Comedy 3" in message
    assert "ingest.min_label_count" in message
