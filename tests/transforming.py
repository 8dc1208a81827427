"""A real Transform, on Beam, for tests that need its graph and what it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io, schema_utils

from components.transform.preprocessing import preprocessing_fn
from tests.examples import FEATURES

RAW_SPEC = {
    FEATURES.image: tf.io.FixedLenFeature([1], tf.string),
    FEATURES.labels: tf.io.VarLenFeature(tf.string),
    FEATURES.id: tf.io.FixedLenFeature([1], tf.string),
}


def transform(
    images: Mapping[str, bytes], labels: Sequence[str], config: Mapping[str, Any], folder: Path
) -> tuple[list[dict[str, Any]], tft.TFTransformOutput]:
    """Transforms images, which all get the same labels; their names are their ids.

    Returns:
      The transformed rows, in any order, and the graph.
    """
    rows = [
        {
            FEATURES.image: np.array([content], object),
            FEATURES.labels: np.array([label.encode() for label in labels], object),
            FEATURES.id: np.array([name.encode()], object),
        }
        for name, content in images.items()
    ]
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(RAW_SPEC))
    output = folder / "graph"
    with tft_beam.Context(temp_dir=str(folder / "temp")):
        (data, _), transform_fn = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocessing_fn(inputs, config)
        )
        transform_fn | tft_beam.WriteTransformFn(str(output))
        raw_metadata = str(output / tft.TFTransformOutput.RAW_METADATA_DIR)
        metadata_io.write_metadata(metadata, raw_metadata)
    return data, tft.TFTransformOutput(str(output))
