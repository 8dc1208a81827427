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

import tensorflow as tf

from components import pixels
from components.features import Features
from components.trainer import record_files
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

    @abc.abstractmethod
    def rows(self, files: Sequence[str]) -> tf.data.Dataset:
        """Batches of images (N, C) strings, labels (N, L) float32 and ids (N, 1) strings.

        They are in the order of `files`, and at most `BATCH_EXAMPLES` each.
        """

    def squares(self, images: tf.Tensor, size: int, geometries: Sequence[Geometry]) -> tf.Tensor:
        """The pixels of one example, (C,) strings: (G, size, size, 3) uint8."""
        stored = tf.unstack(self.stored(images, size, geometries), len(geometries))
        return tf.stack([pixels.decode_stored(image, size) for image in stored])

    def batches(self, files: Sequence[str], *names: str) -> tf.data.Dataset:
        """Batches of the named features as they are parsed, in the order of `files`."""
        spec = {name: self.feature_spec[name] for name in names}

        @tf.autograph.experimental.do_not_convert
        def parse(records: tf.Tensor) -> tuple[tf.Tensor, ...]:
            parsed = tf.io.parse_example(records, spec)
            return tuple(parsed[name] for name in names)

        return record_files.read(files).batch(BATCH_EXAMPLES).map(parse)


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

    def rows(self, files: Sequence[str]) -> tf.data.Dataset:
        """See the base class."""

        @tf.autograph.experimental.do_not_convert
        def row(images: tf.Tensor, ids: tf.Tensor, *given: tf.SparseTensor) -> tuple:
            return images, preprocessing.multi_hot(given, self.labels), ids

        names = (self.image_feature, self.features.id, *self._label_names)
        return self.batches(files, *names).map(row)

    @property
    def _label_names(self) -> list[str]:
        names = (self.features.labels, self.features.other_labels)
        return [name for name in names if name in self.feature_spec]


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

    def rows(self, files: Sequence[str]) -> tf.data.Dataset:
        """See the base class."""
        return self.batches(files, self.image_feature, self.features.labels_xf, self.features.id)


def _pattern(height: int, width: int) -> tf.Tensor:
    """(height, width, 3) uint8."""
    values = tf.range(height * width * 3) * 7 % 256
    return tf.cast(tf.reshape(values, (height, width, 3)), tf.uint8)
