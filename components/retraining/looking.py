"""Looks at new posters through the served model, and compares them with those it was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from components.paths import AnyPath
from components.retraining import embedding_drift
from components.retraining.embedding_drift import EmbeddingDrift
from components.spans.reading import Span
from components.trainer import embedding_summary, export

#: New posters come from the split that the model's own posters came from.
_SPLIT = "train"
#: Images a request; the model itself bounds its memory whatever the number.
_BATCH_IMAGES = 64


class NotComparableError(Exception):
    """The served model, or the new data, gives nothing to compare; the message says why."""


def compare(
    model: AnyPath, spans: Sequence[Span], sample: int, image_feature: str
) -> EmbeddingDrift:
    """How far the posters of some spans are from those a model was trained on.

    Args:
      model: the version's folder.
      spans: the new spans.
      sample: how many posters to look at, about.
      image_feature: name of the feature with the encoded image.

    Raises:
      NotComparableError: see there.
    """
    try:
        summary = embedding_summary.read(str(model))
    except ValueError as error:
        raise NotComparableError(f"the served model gives no embeddings ({error})") from error
    rows = ask(model, export.EMBEDDING, export.EMBEDDING, draw(spans, sample, image_feature))
    found = len(rows) and embedding_drift.measure(summary, rows)
    if not found:
        raise NotComparableError(f"the {_SPLIT} split of what is new has no poster")
    return found


def ask(model: AnyPath, signature: str, output: str, images: Iterable[bytes]) -> np.ndarray:
    """What a model says of images.

    Args:
      model: the version's folder.
      signature: one that takes encoded images.
      output: the one that is wanted of what it gives.
      images: N of them, encoded.

    Returns:
      (N, K), or (0, 0) of no image.

    Raises:
      NotComparableError: the model cannot be loaded, or an image not be read.
    """
    try:
        loaded = tf.saved_model.load(str(model))
        answer = loaded.signatures[signature]
        rows = [
            answer(**{export.IMAGE_INPUT: tf.constant(batch)})[output].numpy()
            for batch in _batches(images)
        ]
    except (ValueError, KeyError, OSError, tf.errors.OpError) as error:
        raise NotComparableError(f"the served model gives no {output} ({_line(error)})") from error
    return np.concatenate(rows) if rows else np.zeros((0, 0), np.float32)


def draw(
    spans: Sequence[Span], sample: int, image_feature: str, split: str = _SPLIT
) -> Iterator[bytes]:
    """Encoded images from one split of some spans, about `sample` in all.

    Ingest writes the examples of a shard in the order of a hash, and deals them out to the shards
    by another, so that the first ones of every shard are a sample of all.
    """
    shards = [
        (span.folder / name, size)
        for span in spans
        for name, size in span.shards.items()
        if name.startswith(f"{split}/")
    ]
    # A shard's share of the bytes is about its share of the posters.
    total = sum(size for _, size in shards) or 1
    feature = {image_feature: tf.io.FixedLenFeature((1,), tf.string)}
    for path, size in shards:
        wanted = -(-sample * size // total)
        records = tf.data.TFRecordDataset(str(path)).take(wanted)
        for record in records.as_numpy_iterator():
            yield tf.io.parse_single_example(record, feature)[image_feature].numpy()[0]


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _batches(images: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for image in images:
        batch.append(image)
        if len(batch) == _BATCH_IMAGES:
            yield batch
            batch = []
    if batch:
        yield batch
