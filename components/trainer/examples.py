"""The examples of a split, as ExampleGen brings them or as Transform stored them.

With a frozen extractor each image is seen once, so the Trainer makes its pixels itself, of raw
examples, and only if it has no features of it. Who fine-tunes sees each image in every epoch, and
reads those that Transform stored.
"""

from __future__ import annotations

import abc
import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components import pixels, record_files
from components.features import Features
from components.transform import preprocessing
from components.views import Geometry

#: Batch of examples parsed at a time.
BATCH_EXAMPLES = 64


@dataclasses.dataclass(frozen=True)
class Examples(abc.ABC):
    """The examples of one split.

    Attributes:
      files: TFRecord files.
      feature_spec: the examples' parsing specification.
      features: the examples' feature names.
    """

    files: Sequence[str]
    feature_spec: Mapping[str, Any]
    features: Features

    @property
    @abc.abstractmethod
    def image_feature(self) -> str:
        """The feature of encoded images; an example has C of them."""

    @abc.abstractmethod
    def column(self, geometry: Geometry) -> int:
        """Which of an example's C images a geometry is made of."""

    @abc.abstractmethod
    def stored(self, images: tf.Tensor, size: int, geometries: Sequence[Geometry]) -> tf.Tensor:
        """What Transform stores of one example.

        Args:
          images: (C,) strings, the example's.
          size: side in pixels.
          geometries: the wanted ones.

        Returns:
          (G,) strings, one a geometry; see `pixels.store`.
        """

    @abc.abstractmethod
    def drawn(self, size: int) -> list[tf.Tensor]:
        """Images such as the examples have, always the same ones: (C,) strings an example.

        Args:
          size: side in pixels that those of Transform have.
        """

    @abc.abstractmethod
    def words(self) -> list[str]:
        """What ids, labels and images depend on besides the files' content."""

    def rows(self, files: Sequence[str]) -> tf.data.Dataset:
        """Batches of images (n, C) strings, labels (n, L) float32, ids (n, 1) strings, and a place.

        They are in the order of `files`, at most `BATCH_EXAMPLES` each and all of one file, whose
        place among `files` is the last, () int64.
        """
        names = (self.image_feature, self.features.id, *self._label_names)
        spec = {name: self.feature_spec[name] for name in names}

        @tf.autograph.experimental.do_not_convert
        def parse(records: tf.Tensor, place: tf.Tensor) -> tuple[tf.Tensor, ...]:
            parsed = tf.io.parse_example(records, spec)
            images, ids, *given = (parsed[name] for name in names)
            return images, self._labels(given), ids, place

        return record_files.read_apart(files, BATCH_EXAMPLES).map(parse)

    @property
    @abc.abstractmethod
    def _label_names(self) -> list[str]:
        """The features that say which labels an example has."""

    @abc.abstractmethod
    def _labels(self, given: Sequence[tf.Tensor | tf.SparseTensor]) -> tf.Tensor:
        """(n, L) float32 multi-hot, of what those features hold."""

    def squares(self, images: tf.Tensor, size: int, geometries: Sequence[Geometry]) -> tf.Tensor:
        """The pixels of one example, (C,) strings: (G, size, size, 3) uint8."""
        stored = tf.unstack(self.stored(images, size, geometries), len(geometries))
        return tf.stack([pixels.decode_stored(image, size) for image in stored])

    def images(self, files: Sequence[tuple[str, int]], wanted: np.ndarray) -> tf.data.Dataset:
        """The encoded images of some examples, (C,) strings each, in the order of the files.

        Args:
          files: files and how many examples each holds; one without a wanted example is not read.
          wanted: (N,) bool, of all the files' examples one after the other.
        """
        parts = np.split(wanted, np.cumsum([count for _, count in files])[:-1])
        read = [(file, part) for (file, _), part in zip(files, parts, strict=True) if part.any()]
        marks = np.concatenate([part for _, part in read])
        spec = {self.image_feature: self.feature_spec[self.image_feature]}

        @tf.autograph.experimental.do_not_convert
        def pick(records: tf.Tensor, marked: tf.Tensor) -> tf.Tensor:
            chosen = tf.boolean_mask(records, marked)
            return tf.io.parse_example(chosen, spec)[self.image_feature]

        records = record_files.read([file for file, _ in read])
        return (
            tf.data.Dataset.zip((records, tf.data.Dataset.from_tensor_slices(marks)))
            .batch(BATCH_EXAMPLES)
            .map(pick)
            .unbatch()
        )


@dataclasses.dataclass(frozen=True)
class RawExamples(Examples):
    """What ExampleGen brings: one image as it was ingested, of any form and size, and label names.

    Attributes:
      labels: the vocabulary, in order.
    """

    labels: Sequence[str]

    @property
    def image_feature(self) -> str:
        """See the base class."""
        return self.features.image

    def column(self, geometry: Geometry) -> int:
        """See the base class."""
        del geometry  # all are made of the one image
        return 0

    def stored(self, images: tf.Tensor, size: int, geometries: Sequence[Geometry]) -> tf.Tensor:
        """See the base class.

        Raises:
          tf.errors.InvalidArgumentError: an image that cannot be decoded.
        """
        return pixels.store(images[0], size, geometries)

    def drawn(self, size: int) -> list[tf.Tensor]:
        """See the base class."""
        upright = _pattern(size + size // 2, size)
        return [tf.stack([tf.io.encode_jpeg(upright)]), tf.stack([tf.io.encode_png(upright)])]

    def words(self) -> list[str]:
        """See the base class."""
        # Code that reads labels may change: what it makes of these tells.
        names = [[label] for label in self.labels] + [["", *self.labels[:1] * 2]]
        drawn = tf.ragged.constant(names, tf.string).to_sparse()
        made = preprocessing.multi_hot([drawn] * len(self._label_names), self.labels)
        digest = hashlib.sha256(made.numpy().tobytes()).hexdigest()
        return [self.image_feature, *self._label_names, self.features.id, *self.labels, digest]

    @property
    def _label_names(self) -> list[str]:
        names = (self.features.labels, self.features.other_labels)
        return [name for name in names if name in self.feature_spec]

    def _labels(self, given: Sequence[tf.Tensor | tf.SparseTensor]) -> tf.Tensor:
        return preprocessing.multi_hot(given, self.labels)


@dataclasses.dataclass(frozen=True)
class StoredExamples(Examples):
    """What Transform materialised: an image a geometry, resized, and multi-hot labels.

    Attributes:
      geometries: which were stored, in that order.
    """

    geometries: Sequence[Geometry]

    @property
    def image_feature(self) -> str:
        """See the base class."""
        return self.features.image_xf

    def column(self, geometry: Geometry) -> int:
        """See the base class."""
        return list(self.geometries).index(geometry)

    def stored(self, images: tf.Tensor, size: int, geometries: Sequence[Geometry]) -> tf.Tensor:
        """See the base class."""
        del size  # they have it
        return tf.gather(images, [self.column(geometry) for geometry in geometries])

    def drawn(self, size: int) -> list[tf.Tensor]:
        """See the base class."""
        image = tf.io.encode_jpeg(_pattern(size, size), quality=pixels.JPEG_QUALITY)
        return [tf.fill([len(self.geometries)], image)]

    def words(self) -> list[str]:
        """See the base class."""
        return [self.image_feature, self.features.labels_xf, self.features.id]

    @property
    def _label_names(self) -> list[str]:
        return [self.features.labels_xf]

    def _labels(self, given: Sequence[tf.Tensor | tf.SparseTensor]) -> tf.Tensor:
        (labels,) = given
        return labels


def _pattern(height: int, width: int) -> tf.Tensor:
    """(height, width, 3) uint8."""
    values = tf.range(height * width * 3) * 7 % 256
    return tf.cast(tf.reshape(values, (height, width, 3)), tf.uint8)
