"""Examples and images for tests, drawn here."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from components.features import Features

FEATURES = Features()


def picture(seed: int, width: int = 40, height: int = 60) -> Image.Image:
    """A picture with edges, ramps and noise, where any difference in decoding or resizing shows."""
    generator = np.random.default_rng(seed)
    ramp = np.linspace(0, 255, width)[None, :, None] * generator.random(3)
    noise = generator.integers(0, 60, (height, width, 3))
    pixels = ramp + noise + 100 * (np.arange(height)[:, None, None] // 7 % 2)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def encode(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    """An image's file content."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def odd_images() -> dict[str, bytes]:
    """One image of every kind that a folder of posters holds and TensorFlow decodes."""
    image = picture(0)
    alpha = image.convert("RGBA")
    alpha.putalpha(Image.linear_gradient("L").resize(image.size))
    return {
        "baseline jpeg": encode(image),
        "progressive jpeg": encode(image, progressive=True),
        "subsampled jpeg": encode(image, subsampling=2, quality=60),
        "cmyk jpeg": encode(image.convert("CMYK")),
        "grey jpeg": encode(image.convert("L")),
        "png": encode(image, "PNG"),
        "grey png": encode(image.convert("L"), "PNG"),
        "palette png": encode(image.quantize(64), "PNG"),
        "png with alpha": encode(alpha, "PNG"),
        "16-bit png": encode(
            Image.fromarray(np.arange(2400, dtype=np.uint16).reshape(60, 40) * 27), "PNG"
        ),
        "gif": encode(image, "GIF"),
        "animated gif": encode(image, "GIF", save_all=True, append_images=[picture(1), picture(2)]),
        "bmp": encode(image, "BMP"),
        "one pixel": encode(picture(3, 1, 1), "PNG"),
        "wide": encode(picture(4, 300, 20)),
        "tall": encode(picture(6, 20, 300)),
        "one pixel high": encode(picture(7, 30, 1), "PNG"),
        "one pixel wide": encode(picture(8, 1, 50), "PNG"),
        "square": encode(picture(9, 40, 40)),
        "odd sides": encode(picture(10, 31, 48)),
        "large": encode(picture(5, 500, 700)),
    }


def example(
    identifier: str,
    image: bytes,
    labels: Sequence[str],
    title: str | None = None,
    year: int | None = None,
    **more: Sequence[float],
) -> bytes:
    """A serialized example as ingest writes it; `more` adds float features."""

    def strings(*values: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

    features = {
        FEATURES.image: strings(image),
        FEATURES.labels: strings(*(label.encode() for label in labels)),
        FEATURES.id: strings(identifier.encode()),
    }
    if title is not None:
        features[FEATURES.title] = strings(title.encode())
    if year is not None:
        features[FEATURES.year] = tf.train.Feature(int64_list=tf.train.Int64List(value=[year]))
    for name, values in more.items():
        features[name] = tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def transformed_example(identifier: str, stored: Sequence[bytes], labels: Sequence[float]) -> bytes:
    """A serialized example as Transform writes it, with an image a geometry."""
    features = {
        FEATURES.image_xf: tf.train.Feature(bytes_list=tf.train.BytesList(value=stored)),
        FEATURES.labels_xf: tf.train.Feature(float_list=tf.train.FloatList(value=labels)),
        FEATURES.id: tf.train.Feature(bytes_list=tf.train.BytesList(value=[identifier.encode()])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def transformed_spec(geometries: int, labels: int) -> dict[str, tf.io.FixedLenFeature]:
    """The parsing specification of such examples."""
    return {
        FEATURES.image_xf: tf.io.FixedLenFeature([geometries], tf.string),
        FEATURES.labels_xf: tf.io.FixedLenFeature([labels], tf.float32),
        FEATURES.id: tf.io.FixedLenFeature([1], tf.string),
    }


def write_records(path: Path, records: Sequence[bytes]) -> Path:
    """Writes a TFRecord file, gzipped if its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    compression = "GZIP" if path.suffix == ".gz" else ""
    with tf.io.TFRecordWriter(str(path), options=compression) as writer:
        for record in records:
            writer.write(record)
    return path
