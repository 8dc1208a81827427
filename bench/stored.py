"""Images stored as Transform stores them, for benches that need no whole run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from components import pixels, views
from components.features import Features
from components.trainer import extraction, extractor
from components.trainer.examples import StoredExamples
from pipeline import dag, training_nodes
from pipeline.config import Config

#: One image: its id, its encoded bytes, and its labels (L,) multi-hot.
Row = tuple[bytes, bytes, np.ndarray]


def source(
    config: Config, rows: Iterable[Row], file: Path, view_names: Sequence[str], features: Features
) -> extraction.FeatureSource:
    """Stores images in one file and says how to read them back.

    Args:
      config: gives the extractor and the image size.
      rows: the images.
      file: where they go; taken as it is where it is there already.
      view_names: the views whose geometries are stored and whose features are averaged.
      features: the examples' feature names.
    """
    size, geometries = config.image.size, views.geometries(view_names)
    if not file.exists():
        half = file.with_suffix(".part")
        _write(rows, half, size, geometries, features)
        half.rename(file)
    first = next(iter(tf.data.TFRecordDataset(str(file), compression_type="GZIP")))
    parsed = tf.train.Example.FromString(first.numpy())
    labels = len(parsed.features.feature[features.labels_xf].float_list.value)
    spec = {
        features.image_xf: tf.io.FixedLenFeature([len(geometries)], tf.string),
        features.labels_xf: tf.io.FixedLenFeature([labels], tf.float32),
        features.id: tf.io.FixedLenFeature([1], tf.string),
    }
    return extraction.FeatureSource(
        examples=StoredExamples([str(file)], spec, features, geometries),
        extractor=extractor.load(config.trainer.hub_handle, size),
        extractor_fingerprint=extractor.fingerprint(config.trainer.hub_handle),
        code=training_nodes.embedding_code(dag.PIXEL_CODE),
        image_size=size,
        views=view_names,
    )


def _write(
    rows: Iterable[Row],
    file: Path,
    size: int,
    geometries: Sequence[views.Geometry],
    features: Features,
) -> None:
    materialize = tf.function(
        lambda image: pixels.materialize(image[tf.newaxis], size, geometries)[0],
        input_signature=[tf.TensorSpec((), tf.string)],
        autograph=False,
    )
    with tf.io.TFRecordWriter(str(file), options="GZIP") as writer:
        for name, image, labels in rows:
            feature = {
                features.image_xf: _bytes(materialize(image).numpy()),
                features.id: _bytes([name]),
                features.labels_xf: tf.train.Feature(float_list=tf.train.FloatList(value=labels)),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())


def _bytes(values: Sequence[bytes]) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
