"""A small data set, a head and settings for tests of fine-tuning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from components import pixels
from components.trainer.fine_tuning.images import ImageSource
from components.trainer.fine_tuning.stage import Splits
from components.trainer.head import Head
from components.trainer.settings import HeadSettings, TrainerSettings
from tests.examples import FEATURES, encode, picture, write_records

LABELS = 3
SIZE = 96
_SPEC = {
    FEATURES.image_xf: tf.io.FixedLenFeature([], tf.string),
    FEATURES.labels_xf: tf.io.FixedLenFeature([LABELS], tf.float32),
    FEATURES.id: tf.io.FixedLenFeature([1], tf.string),
}


def visible_labels(index: int) -> list[bool]:
    """What can be seen in picture `index`, for each label; the last one cannot."""
    red, green, blue = np.asarray(picture(index), np.float32).mean((0, 1))
    return [red > 140, green > blue, index % 5 > 0]


def record(index: int, size: int = SIZE, wrong: bool = False) -> bytes:
    """One transformed example, with its labels or, if wrong, the opposite."""
    labels = np.logical_xor(visible_labels(index), wrong).astype(float)
    stored = pixels.materialize(tf.constant([encode(picture(index))]), size, ("squished",)).numpy()[
        0, 0
    ]
    features = {
        FEATURES.image_xf: tf.train.Feature(bytes_list=tf.train.BytesList(value=[stored])),
        FEATURES.labels_xf: tf.train.Feature(float_list=tf.train.FloatList(value=labels)),
        FEATURES.id: tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"%04d" % index])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def source(path: Path, indices: range, size: int = SIZE, wrong: bool = False) -> ImageSource:
    """Writes one file of examples."""
    file = write_records(path, [record(index, size, wrong) for index in indices])
    return ImageSource([str(file)], _SPEC, FEATURES, size)


def splits(folder: Path, train: int = 40, evaluation: int = 20, size: int = SIZE) -> Splits:
    """A training split and an eval split."""
    return Splits(
        source(folder / "train.gz", range(train), size),
        source(folder / "eval.gz", range(train, train + evaluation), size),
        train,
    )


def new_head(width: int = 192, seed: int = 0) -> Head:
    """An untrained head."""
    settings = HeadSettings(hidden_units=(16,), dropout=0.2)
    return Head(np.full(width, 0.5), np.ones(width), np.zeros(LABELS), settings, seed)


def settings(**changes: object) -> TrainerSettings:
    """Settings of two epochs of three batches, of which no device holds one; `changes` to them."""
    return TrainerSettings(
        **{
            "hub_handle": "embedded",
            "loss": "macro_soft_f1",
            "weight_decay": 0,
            "fine_tune": {
                "epochs": 2,
                "learning_rate": 1e-3,
                "batch_size": 16,
                "device_batch_size": 6,
                **changes,
            },
        }
    )
