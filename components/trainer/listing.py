"""What a split lists: ids, labels, and digests of the images that Transform stored.

It is read from the examples once and kept, so that a run that changes only the training does not
even parse them.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from components.features import Features
from components.files import file_digest
from components.paths import to_path
from components.trainer import kept_listings, record_files
from components.trainer.feature_store import DIGEST

#: Examples parsed at a time.
BATCH_EXAMPLES = 64
#: Grows when what a listing holds changes.
_FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Examples:
    """The transformed examples of one split.

    Attributes:
      files: Transform's materialised TFRecord files.
      feature_spec: the transformed examples' parsing specification.
      features: the examples' feature names.
    """

    files: Sequence[str]
    feature_spec: Mapping[str, Any]
    features: Features

    def batches(self, files: Sequence[str], *names: str) -> tf.data.Dataset:
        """Batches of 64 with the named features, in the order of `files`."""
        spec = {name: self.feature_spec[name] for name in names}

        def parse(records: tf.Tensor) -> tuple[tf.Tensor, ...]:
            parsed = tf.io.parse_example(records, spec)
            return tuple(parsed[name] for name in names)

        return record_files.read(files).batch(BATCH_EXAMPLES).map(parse)


@dataclasses.dataclass(frozen=True)
class Listing:
    """A split, row for row in the order of `files`.

    Attributes:
      files: the split's files in an order that follows from their content, not from their names.
      ids: (N,) bytes.
      labels: (N, L) float32 multi-hot.
      digests: (N, G) of the stored images, a column a geometry.
    """

    files: tuple[str, ...]
    ids: np.ndarray
    labels: np.ndarray
    digests: np.ndarray


def read(folder: Path, examples: Examples) -> Listing:
    """The listing of a split: what is kept of it, or else what the examples say.

    Args:
      folder: holds a file a split; made if absent.
      examples: the split; a listing without rows is not kept.
    """
    content = sorted((file_digest(to_path(file)), file) for file in examples.files)
    files = tuple(file for _, file in content)
    names = examples.features
    words = [str(_FORMAT), names.image_xf, names.labels_xf, names.id, *(key for key, _ in content)]
    path = folder / f"{hashlib.sha256(chr(0).join(words).encode()).hexdigest()[:32]}"
    kept = kept_listings.load(path)
    if kept is None:
        kept = _parse(files, examples)
        if len(kept["ids"]):
            kept_listings.save(path, kept)
    return Listing(files, **kept)


def _parse(files: Sequence[str], examples: Examples) -> dict[str, np.ndarray]:
    names = examples.features
    ids, labels, digests = [], [], []
    batches = examples.batches(files, names.image_xf, names.labels_xf, names.id)
    for stored, batch_labels, batch_ids in batches.prefetch(2).as_numpy_iterator():
        ids.append(batch_ids[:, 0].astype(bytes))
        labels.append(batch_labels)
        content = [hashlib.blake2b(image, digest_size=16).digest() for image in stored.flat]
        digests.append(np.array(content, DIGEST).reshape(stored.shape))
    if not ids:
        return {"ids": np.empty(0, bytes), "labels": np.empty((0, 0)), "digests": np.empty((0, 0))}
    return {
        "ids": np.concatenate(ids),
        "labels": np.concatenate(labels),
        "digests": np.concatenate(digests),
    }
