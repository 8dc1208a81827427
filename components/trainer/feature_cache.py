"""Features of a frozen extractor, computed once per image and kept on disk.

A cache entry is a folder named for everything its features depend on: the extractor, the image size
and the content of the examples. It appears by one rename, so an entry is whole or absent.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from components import pixels
from components.errors import PostersError
from components.features import Features
from components.files import file_digest, new_folder

#: Images a forward pass: larger batches are no faster on a CPU and cost memory.
_BATCH_IMAGES = 64


@dataclasses.dataclass(frozen=True)
class CachedFeatures:
    """Features, labels and ids of one split, row for row, in the order they were computed.

    Attributes:
      features: (N, D) float32, memory-mapped.
      labels: (N, L) float32 multi-hot.
      ids: (N,) bytes.
      by_id: (N,) the rows in the order of their ids, which is the same however Beam sharded them.
    """

    features: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    by_id: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def width(self) -> int:
        """Of a feature vector."""
        return self.features.shape[1]

    def take(self, rows: np.ndarray | slice) -> np.ndarray:
        """The features of some rows, (N, D) float32."""
        return self.features[rows]


@dataclasses.dataclass(frozen=True)
class FeatureSource:
    """Where the features of one split come from.

    Attributes:
      files: Transform's materialised TFRecord files.
      feature_spec: the transformed examples' parsing specification.
      features: the examples' feature names.
      extractor: (N, size, size, 3) float32 -> (N, D) float32.
      extractor_fingerprint: tells that extractor from every other.
      image_size: side in pixels.
    """

    files: Sequence[str]
    feature_spec: dict
    features: Features
    extractor: Callable[[tf.Tensor], tf.Tensor]
    extractor_fingerprint: str
    image_size: int


def load_or_compute(
    cache_folder: Path, source: FeatureSource, progress: Callable[[int], None]
) -> CachedFeatures:
    """Reads a split's features from the cache, computing them first if they are not there.

    Args:
      cache_folder: holds one folder an entry; made if absent.
      source: the split.
      progress: called with the number of images done so far; not called when the cache answers.

    Raises:
      PostersError: the split has no examples.
    """
    entry = cache_folder / cache_key(source)
    if not entry.is_dir():
        cache_folder.mkdir(parents=True, exist_ok=True)
        try:
            with new_folder(entry) as scratch:
                _compute(scratch, source, progress)
        except OSError:
            # Another run may have published the same entry meanwhile.
            if not (entry / "meta.json").is_file():
                raise
    return _read(entry)


def cache_key(source: FeatureSource) -> str:
    """Names everything the features depend on; 32 hexadecimal digits."""
    digest = hashlib.sha256()
    digest.update(f"{source.extractor_fingerprint}\0{source.image_size}\0".encode())
    # The order of the shards does not matter: rows are sorted by id.
    for content in sorted(file_digest(Path(file)) for file in source.files):
        digest.update(content.encode())
    return digest.hexdigest()[:32]


def _compute(folder: Path, source: FeatureSource, progress: Callable[[int], None]) -> None:
    size = source.image_size

    # Nothing here needs autograph, and converting the libraries below takes it seconds.
    @tf.function(input_signature=[tf.TensorSpec((None, size, size, 3), tf.uint8)], autograph=False)
    def extract(images: tf.Tensor) -> tf.Tensor:
        return source.extractor(pixels.normalize(images))

    labels, ids, width = [], [], 0
    with (folder / "features.f32").open("wb") as file:
        for images, batch_labels, batch_ids in _examples(source):
            vectors = extract(images).numpy().astype("<f4", copy=False)
            _check_finite(vectors, batch_ids)
            width = vectors.shape[1]
            file.write(vectors.tobytes())
            labels.append(batch_labels.numpy())
            ids.append(batch_ids.numpy()[:, 0].astype(bytes))
            progress(sum(map(len, ids)))
    if not ids:
        raise PostersError(
            f"there is no example in {', '.join(source.files) or 'the split'}: the Trainer needs "
            "at least one in train and in eval. Ingest more data, or change the split shares."
        )
    np.save(folder / "labels.npy", np.concatenate(labels))
    np.save(folder / "ids.npy", np.concatenate(ids))
    shape = {"rows": sum(map(len, ids)), "width": width}
    (folder / "meta.json").write_text(json.dumps(shape), encoding="utf-8")


def _check_finite(vectors: np.ndarray, ids: tf.Tensor) -> None:
    """Refuses NaN and infinity here: further on, relu makes a zero of them and nobody notices."""
    broken = ~np.isfinite(vectors).all(axis=1)
    if broken.any():
        names = ", ".join(name.decode(errors="replace") for name in ids.numpy()[broken, 0][:5])
        raise PostersError(
            f"trainer.hub_handle: the extractor gives NaN or infinity for id {names}; check that "
            "it takes pixels in [0, 1]."
        )


def _examples(source: FeatureSource) -> tf.data.Dataset:
    names = source.features

    def parse(records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        parsed = tf.io.parse_example(records, source.feature_spec)
        return parsed[names.image_xf], parsed[names.labels_xf], parsed[names.id]

    def decode(image: tf.Tensor, labels: tf.Tensor, identifier: tf.Tensor) -> tuple:
        return pixels.decode_stored(image, source.image_size), labels, identifier

    return (
        tf.data.TFRecordDataset(list(source.files), compression_type="GZIP")
        .batch(_BATCH_IMAGES)
        .map(parse)
        .unbatch()
        .map(decode, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(_BATCH_IMAGES)
        .prefetch(2)
    )


def _read(entry: Path) -> CachedFeatures:
    shape = json.loads((entry / "meta.json").read_text(encoding="utf-8"))
    rows, width = shape["rows"], shape["width"]
    features = np.memmap(entry / "features.f32", dtype="<f4", mode="r", shape=(rows, width))
    ids = np.load(entry / "ids.npy")
    return CachedFeatures(features, np.load(entry / "labels.npy"), ids, np.argsort(ids))
