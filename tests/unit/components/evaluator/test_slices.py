import pytest
import tensorflow as tf

from components.evaluator import slices
from components.features import Features
from tests.examples import FEATURES, encode, example, picture

NAMES = ("label", "decade", "label_count", "image_size")


def _values(names=NAMES, image=None, labels=("Drama", "War"), **more):
    image = encode(picture(0, 130, 200)) if image is None else image
    record = tf.train.Example.FromString(example("tt1", image, labels, **more))
    return slices.values(record, names, Features())


def test_what_an_example_is_cut_by():
    assert _values(year=1999) == {
        "label": [b"Drama", b"War"],
        "decade": [b"1990s"],
        "label_count": [b"2"],
        "image_size": [b"128 to 255 px"],
    }


@pytest.mark.parametrize(
    ("year", "decade"), [(1900, b"1900s"), (1909, b"1900s"), (2020, b"2020s"), (None, b"unknown")]
)
def test_decades(year, decade):
    assert _values(["decade"], year=year)["decade"] == [decade]


@pytest.mark.parametrize(
    ("size", "bucket"),
    [
        ((1, 1), b"0 to 127 px"),
        ((127, 900), b"0 to 127 px"),
        ((900, 128), b"128 to 255 px"),
        ((256, 256), b"256 to 511 px"),
        ((512, 600), b"512 px and more"),
    ],
)
def test_sizes_are_of_the_shorter_side(size, bucket):
    assert _values(["image_size"], encode(picture(0, *size), "PNG"))["image_size"] == [bucket]


@pytest.mark.parametrize("image", [b"", b"<html>404</html>"])
def test_what_is_no_image_has_no_size(image):
    assert _values(["image_size"], image)["image_size"] == [b"unknown"]


def test_features_as_they_are():
    found = _values(["title", "year", "score", "nothing"], title="Ran", year=1985, score=[0.5, 2])
    assert found == {"title": [b"Ran"], "year": [1985], "score": [0.5, 2.0], "nothing": []}


def test_other_labels_that_are_learned_are_labels_too():
    record = tf.train.Example.FromString(example("tt1", encode(picture(0)), ["Drama"]))
    others = record.features.feature[FEATURES.other_labels].bytes_list.value
    others.extend([b"Anime", b"War"])
    found = slices.values(record, ["label", "label_count"], FEATURES, ("Drama", "Anime"))
    assert found == {"label": [b"Drama", b"Anime"], "label_count": [b"2"]}


def test_a_label_given_twice_counts_once():
    assert _values(["label_count"], labels=["War", "War"])["label_count"] == [b"1"]


def test_values_are_sorted_as_a_person_would():
    given = ["unknown", "512 px and more", "128 to 255 px", "0 to 127 px", "Drama"]
    assert sorted(given, key=slices.in_order) == [
        "0 to 127 px", "128 to 255 px", "512 px and more", "Drama", "unknown",
    ]  # fmt: skip
