"""A small exported model, for tests of what serves: real in all but its training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components import pixels, views
from components.trainer import calibration, export, neighbours, pictures
from tests.examples import FEATURES, encode, picture
from tests.transforming import transform

SIZE = 16
LABELS = ("Drama", "Comedy", "Film-Noir", "Sci-Fi")
VIEWS = ("squished", "top_mirrored")
#: As the Trainer tells of them; the last is of unknown date.
SPANS = [{"number": 2, "date": "2024-05-31"}, {"number": 3, "date": None}]
#: The training images that are kept beside the model.
NEIGHBOURS = [encode(picture(1000 + row, 30 + row, 40)) for row in range(9)]
#: What a folder of posters holds besides posters, and what `status` must say of it.
BROKEN = {
    "nothing": (b"", "0 bytes"),
    "text": (b"<html>404</html>", "not a JPEG, PNG, GIF or BMP image (16 bytes)"),
    "jpeg cut in the head": (encode(picture(1))[:100], "cut off JPEG image (100 bytes)"),
    "jpeg cut in the body": (encode(picture(1, 300, 400))[:-2000], "cut off JPEG"),
    "png cut off": (encode(picture(1), "PNG")[:-200], "cut off PNG"),
    "gif cut off": (encode(picture(1), "GIF")[:60], "cut off GIF"),
    "bmp cut off": (encode(picture(1), "BMP")[:80], "cut off BMP"),
    "webp cut off": (encode(picture(1), "WEBP")[:-200], "not a JPEG, PNG, GIF or BMP"),
}


def transform_graph(folder: Path) -> tft.TFTransformOutput:
    """What a real Transform, on Beam, leaves for serving."""
    config = {
        "features": {},
        "labels": LABELS,
        "image_size": SIZE,
        "geometries": views.geometries(VIEWS),
    }
    _, output = transform({"one": encode(picture(0))}, ["Drama"], config, folder)
    return output


def export_model(output: tft.TFTransformOutput, folder: Path, seed: int = 0) -> Path:
    """Exports a model without training whose scores tell images apart; another seed, others."""
    generator = np.random.default_rng(seed)
    weights = tf.Variable(generator.normal(0, 3, (12, len(LABELS))), dtype=tf.float32)

    def extractor(images: tf.Tensor) -> tf.Tensor:
        return tf.reshape(tf.nn.avg_pool2d(images, SIZE // 2, SIZE // 2, "VALID"), (-1, 12))

    class Head(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = weights

        def __call__(self, features: tf.Tensor) -> tf.Tensor:
            return features @ self.kernel

    count = len(LABELS)
    parts = export.ModelParts(
        transform=output.transform_features_layer(),
        raw_feature_spec=output.raw_feature_spec(),
        extractor=extractor,
        head=Head(),
        calibration=calibration.Calibration(np.ones(count), np.zeros(count), np.full(count, 0.4)),
        labels=LABELS,
        features=FEATURES,
        image_size=SIZE,
        views=VIEWS,
    )
    more = {"seed": seed, "examples": {"train": 5000}, "spans": SPANS}
    export.export(parts, str(folder), more)
    stored = pixels.materialize(tf.constant(NEIGHBOURS), SIZE, views.geometries(VIEWS)).numpy()
    embeddings = neighbours.embed(stored.tolist(), extractor, SIZE, VIEWS)
    labels = np.arange(count) == np.arange(len(NEIGHBOURS))[:, None] % count
    ids = np.array([f"tt{row}".encode() for row in range(len(NEIGHBOURS))])
    drawn = [pictures.small(row[0]) for row in stored.tolist()]
    neighbours.write(str(folder), ids, labels, embeddings, drawn)
    return folder
