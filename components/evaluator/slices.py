"""What the test split is cut by, besides features as they are."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import tensorflow as tf
from PIL import Image

from components.features import Features

#: Shorter sides in pixels at which a new bucket begins.
_SIDES = (0, 128, 256, 512)
_UNKNOWN = b"unknown"


def values(
    example: tf.train.Example,
    names: Sequence[str],
    features: Features,
    vocabulary: Sequence[str] = (),
) -> dict[str, list]:
    """The slices that an example is in, by what they are cut by.

    Args:
      example: as ingest writes it.
      names: of `DERIVED`, which mean what is derived here whatever features there are, or features.
      features: the examples' feature names.
      vocabulary: what is learned: other labels of the example that it holds are labels too.

    Returns:
      For each name bytes, integers or floats; none where the example lacks the feature.
    """
    return {
        name: DERIVED[name](example, features, vocabulary)
        if name in DERIVED
        else feature(example, name)
        for name in names
    }


def feature(example: tf.train.Example, name: str) -> list:
    """The values of a feature, of whatever kind; none if it is not there."""
    kinds = example.features.feature.get(name)
    if kinds is None or kinds.WhichOneof("kind") is None:
        return []
    return list(getattr(kinds, kinds.WhichOneof("kind")).value)


def in_order(value: str) -> tuple[int, str]:
    """Sorts values that begin with a number by it, and words after them."""
    number = re.match(r"\d+", value)
    return (int(number[0]), value) if number else (1 << 62, value)


def _labels(
    example: tf.train.Example, features: Features, vocabulary: Sequence[str]
) -> list[bytes]:
    known = {label.encode() for label in vocabulary}
    others = [label for label in feature(example, features.other_labels) if label in known]
    return [*feature(example, features.labels), *others]


def _decade(example: tf.train.Example, features: Features, _: Sequence[str]) -> list[bytes]:
    years = feature(example, features.year)
    return [f"{year // 10 * 10}s".encode() for year in years] or [_UNKNOWN]


def _label_count(
    example: tf.train.Example, features: Features, vocabulary: Sequence[str]
) -> list[bytes]:
    return [str(len(set(_labels(example, features, vocabulary)))).encode()]


def _image_size(example: tf.train.Example, features: Features, _: Sequence[str]) -> list[bytes]:
    try:
        # Reads the header alone.
        with Image.open(io.BytesIO(feature(example, features.image)[0])) as image:
            side = min(image.size)
    except (IndexError, OSError, Image.DecompressionBombError):
        return [_UNKNOWN]
    place = sum(side >= start for start in _SIDES) - 1
    if place + 1 == len(_SIDES):
        return [f"{_SIDES[place]} px and more".encode()]
    return [f"{_SIDES[place]} to {_SIDES[place + 1] - 1} px".encode()]


#: What slices can be cut by besides features as they are.
DERIVED = {
    "label": _labels,
    "decade": _decade,
    "label_count": _label_count,
    "image_size": _image_size,
}
