"""The frozen extractor over a split: each view of an image once, in whichever run it came up."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from components import pixels, views
from components.errors import PostersError
from components.trainer import kept_listings, listing
from components.trainer.cached_features import CachedFeatures, gather
from components.trainer.feature_store import FeatureStore, PartWriter

#: Grows when the rows of a store change for another reason than its name tells.
_FORMAT = 2
#: Images a forward pass: larger batches are no faster on a CPU and cost memory.
_BATCH_IMAGES = 64


@dataclasses.dataclass(frozen=True)
class FeatureSource:
    """Where the features of one split come from.

    Attributes:
      examples: Transform's examples, with the images' geometries as `views.geometries` orders them.
      extractor: a layer or function, (N, size, size, 3) float32 -> (N, D) float32.
      extractor_fingerprint: tells that extractor from every other.
      image_size: side in pixels.
      views: names of the views that are averaged.
    """

    examples: listing.Examples
    extractor: Callable[[tf.Tensor], tf.Tensor]
    extractor_fingerprint: str
    image_size: int
    views: Sequence[str]

    def column(self, view: str) -> int:
        """Which of the examples' images a view is made of."""
        return views.geometries(self.views).index(views.geometry(view))


def load_or_compute(
    cache_folder: Path, source: FeatureSource, progress: Callable[[int], None]
) -> CachedFeatures:
    """Reads a split's features from the stores, computing first what they lack.

    What is computed is kept as it comes: a run that is killed loses a minute's work at most, and
    the next one goes on from there. Images are known by content, so other labels, other splits,
    more images or more views cost only what is new.

    Args:
      cache_folder: holds a folder of listings and one a store; made if absent.
      source: the split.
      progress: called with the number of views of images computed so far; never if none was.

    Raises:
      PostersError: the split has no examples, or a feature is not finite.
    """
    listed = listing.read(cache_folder / kept_listings.FOLDER, source.examples)
    if not len(listed.ids):
        raise PostersError(
            f"there is no example in {', '.join(source.examples.files) or 'the split'}: the "
            "Trainer needs at least one in train and in eval. Ingest more data, or change the "
            "split shares."
        )
    folders = {
        mirrored: cache_folder / _store_name(source, mirrored)
        for mirrored in sorted({views.is_mirrored(view) for view in source.views})
    }
    size = source.image_size
    width = source.extractor(tf.zeros((1, size, size, 3))).shape[1]
    stores = _open(folders, width)
    lacking = _lacking(stores, listed, source)
    if any(places.any() for places in lacking.values()):
        _compute(folders, lacking, listed, source, progress)
        stores = _open(folders, width)
    features = gather(
        (len(listed.ids), width), cache_folder, lambda rows: _averaged(stores, listed, source, rows)
    )
    return CachedFeatures(features, listed.labels, listed.ids, np.argsort(listed.ids))


def _store_name(source: FeatureSource, mirrored: bool) -> str:
    """Names everything that a row depends on besides its image; 32 hexadecimal digits."""
    words = (_FORMAT, source.extractor_fingerprint, source.image_size, mirrored)
    digest = hashlib.sha256("\0".join(map(str, words)).encode())
    # Decoders change with code and libraries: what they make of one image tells.
    drawn = tf.reshape(tf.range(48 * 48 * 3) * 7 % 256, (48, 48, 3))
    stored = tf.io.encode_jpeg(tf.cast(drawn, tf.uint8), quality=pixels.JPEG_QUALITY)
    seen = _normalized(pixels.decode_stored(stored, 48)[tf.newaxis], mirrored)
    digest.update(seen.numpy().tobytes())
    return digest.hexdigest()[:32]


def _normalized(images: tf.Tensor, mirrored: bool) -> tf.Tensor:
    return pixels.normalize(pixels.mirror(images) if mirrored else images)


def _open(folders: Mapping[bool, Path], width: int) -> dict[bool, FeatureStore]:
    return {mirrored: FeatureStore(folder, width) for mirrored, folder in folders.items()}


def _averaged(
    stores: Mapping[bool, FeatureStore],
    listed: listing.Listing,
    source: FeatureSource,
    rows: slice,
) -> np.ndarray:
    """The mean over the views of some rows: (n, width) float32."""
    of_views = [
        stores[views.is_mirrored(view)].read(listed.digests[rows, source.column(view)])
        for view in source.views
    ]
    return np.sum(of_views, axis=0, dtype=np.float32) / np.float32(len(of_views))


def _lacking(
    stores: Mapping[bool, FeatureStore], listed: listing.Listing, source: FeatureSource
) -> dict[bool, np.ndarray]:
    """By mirroring, (N * G,) bool: which stored images the store lacks, each content once."""
    lacking = {}
    for mirrored, store in stores.items():
        wanted = np.zeros(listed.digests.shape, bool)
        for view in source.views:
            if views.is_mirrored(view) == mirrored:
                wanted[:, source.column(view)] = True
        places = np.flatnonzero(wanted)
        digests, first = np.unique(listed.digests.ravel()[places], return_index=True)
        lacking[mirrored] = np.zeros(listed.digests.size, bool)
        lacking[mirrored][places[first[~store.holds(digests)]]] = True
    return lacking


def _compute(
    folders: Mapping[bool, Path],
    lacking: Mapping[bool, np.ndarray],
    listed: listing.Listing,
    source: FeatureSource,
    progress: Callable[[int], None],
) -> None:
    """Adds the rows to the stores; what is parsed and decoded serves both mirrorings."""
    columns = listed.digests.shape[1]
    digests, done = listed.digests.ravel(), 0
    with contextlib.ExitStack() as stack:
        writers = {mirrored: PartWriter(folder) for mirrored, folder in folders.items()}
        for writer in writers.values():
            stack.callback(writer.publish)  # whatever ends this, what was computed is kept
        for places, images in _images(np.any(list(lacking.values()), axis=0), listed, source):
            for mirrored, wanted in lacking.items():
                chosen = wanted[places]
                if not chosen.any():
                    continue
                batch = images if chosen.all() else tf.boolean_mask(images, chosen)
                # In no graph of our own: a SavedModel is one, and tracing it takes a second.
                vectors = source.extractor(_normalized(batch, mirrored)).numpy()
                _check_finite(vectors, listed.ids[places[chosen] // columns])
                writers[mirrored].add(digests[places[chosen]], vectors)
                done += len(vectors)
                progress(done)


def _images(
    wanted: np.ndarray, listed: listing.Listing, source: FeatureSource
) -> Iterator[tuple[np.ndarray, tf.Tensor]]:
    """Yields batches of the wanted images: places in the listing, and pixels as uint8."""

    def pick(parsed: tuple[tf.Tensor], marked: tf.Tensor) -> tf.Tensor:
        return tf.boolean_mask(parsed[0], marked)

    def decode(image: tf.Tensor) -> tf.Tensor:
        return pixels.decode_stored(image, source.image_size)

    stored = source.examples.batches(listed.files, source.examples.features.image_xf)
    marks = tf.data.Dataset.from_tensor_slices(wanted.reshape(listed.digests.shape))
    decoded = (
        tf.data.Dataset.zip((stored, marks.batch(listing.BATCH_EXAMPLES)))
        .map(pick)
        .unbatch()
        .map(decode, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(_BATCH_IMAGES)
        .prefetch(2)
    )
    places, start = np.flatnonzero(wanted), 0
    for images in decoded:
        yield places[start : start + len(images)], images
        start += len(images)


def _check_finite(vectors: np.ndarray, ids: np.ndarray) -> None:
    """Refuses NaN and infinity here: further on, relu makes a zero of them and nobody notices."""
    broken = ~np.isfinite(vectors).all(axis=1)
    if broken.any():
        names = ", ".join(name.decode(errors="replace") for name in ids[broken][:5])
        raise PostersError(
            f"trainer.hub_handle: the extractor gives NaN or infinity for id {names}; check that "
            "it takes pixels in [0, 1]."
        )
