"""The frozen extractor over splits: each view of an image once, in whichever run it came up."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from components import pixels, views
from components.data_sets import PARALLEL
from components.errors import PostersError
from components.trainer import extractor, kept_arrays, listing
from components.trainer.cached_features import CachedFeatures, gather
from components.trainer.examples import Examples
from components.trainer.feature_store import FeatureStore, PartWriter

#: Grows when the rows of a store change for another reason than its name tells.
_FORMAT = 3
#: Images a forward pass: larger batches are no faster on a CPU and cost memory.
_BATCH_IMAGES = 64
#: Side of the images that tell one way to pixels from another.
_DRAWN_SIZE = 48


@dataclasses.dataclass(frozen=True)
class FeatureSource:
    """Where features come from.

    Attributes:
      examples: a split's.
      extractor: a layer or function, (N, size, size, 3) float32 -> (N, D) float32.
      extractor_fingerprint: tells that extractor from every other.
      code: fingerprint of the code that makes pixels and features, and of TensorFlow.
      image_size: side in pixels.
      views: names of the views that are averaged.
    """

    examples: Examples
    extractor: Callable[[tf.Tensor], tf.Tensor]
    extractor_fingerprint: str
    code: str
    image_size: int
    views: Sequence[str]

    def column(self, view: str) -> int:
        """Which of an example's images a view is made of."""
        return self.examples.column(views.geometry(view))


def load_or_compute(
    cache_folder: Path, source: FeatureSource, progress: Callable[[int], None]
) -> CachedFeatures:
    """The same as `of_splits` for one split."""
    (found,) = of_splits(cache_folder, source, [source.examples], progress)
    return found


def of_splits(
    cache_folder: Path,
    source: FeatureSource,
    splits: Sequence[Examples],
    progress: Callable[[int], None],
) -> list[CachedFeatures]:
    """Reads splits' features from the stores, computing first what they lack, in one pass.

    What is computed is kept as it comes: a run that is killed loses a minute's work at most, and
    the next one goes on from there. Images are known by content, so other labels, other splits,
    more images or more views cost only what is new.

    Args:
      cache_folder: holds a folder of listings and one a view; made if absent.
      source: how features are made.
      splits: the examples of each, all of the kind of the source's.
      progress: called with the number of views of images computed so far; never if none was.

    Raises:
      PostersError: a split has no examples, or a feature is not finite.
      tf.errors.InvalidArgumentError: an image cannot be decoded; see `components.undecodable`.
    """
    listings = listing.read(cache_folder / kept_arrays.LISTINGS, splits)
    for listed in listings:
        _check_not_empty(listed)
    folders = {view: cache_folder / _store_name(source, view) for view in source.views}
    width = extractor.width(source.extractor, source.image_size)
    stores = _open(folders, width)
    joined = listing.join(listings)
    lacking = _lacking(stores, joined, source)
    if any(rows.any() for rows in lacking.values()):
        _compute(folders, lacking, joined, source, progress)
        stores = _open(folders, width)
    return [_gathered(cache_folder, stores, listed, source) for listed in listings]


def _check_not_empty(listed: listing.Listing) -> None:
    if not len(listed.ids):
        files = ", ".join(file for file, _ in listed.files)
        raise PostersError(
            f"there is no example in {files or 'the split'}: the Trainer needs at least one in "
            "train and in eval. Ingest more data, or change the split shares."
        )


def _gathered(
    cache_folder: Path,
    stores: Mapping[str, FeatureStore],
    listed: listing.Listing,
    source: FeatureSource,
) -> CachedFeatures:
    (width,) = {store.width for store in stores.values()}
    features = gather(
        (len(listed.ids), width), cache_folder, lambda rows: _averaged(stores, listed, source, rows)
    )
    digests = listed.digests[:, source.column(source.views[0])]
    order = np.argsort(listed.ids)
    return CachedFeatures(features, listed.labels, listed.ids, order, digests, listed.files)


def _store_name(source: FeatureSource, view: str) -> str:
    """Names everything that a row depends on besides its image; 32 hexadecimal digits."""
    # The images of two kinds of examples are never each other's.
    kind = source.examples.image_feature
    content, size = source.extractor_fingerprint, source.image_size
    words = (_FORMAT, content, source.code, size, view, kind)
    digest = hashlib.sha256("\0".join(map(str, words)).encode())
    # What decodes is TensorFlow's, built with other libraries elsewhere: what it makes of some
    # images tells.
    for images in source.examples.drawn(_DRAWN_SIZE):
        squares = source.examples.squares(images, _DRAWN_SIZE, [views.geometry(view)])
        digest.update(_normalized(squares, view).numpy().tobytes())
    return digest.hexdigest()[:32]


def _normalized(images: tf.Tensor, view: str) -> tf.Tensor:
    return pixels.normalize(pixels.mirror(images) if views.is_mirrored(view) else images)


def _open(folders: Mapping[str, Path], width: int) -> dict[str, FeatureStore]:
    return {view: FeatureStore(folder, width) for view, folder in folders.items()}


def _averaged(
    stores: Mapping[str, FeatureStore],
    listed: listing.Listing,
    source: FeatureSource,
    rows: slice,
) -> np.ndarray:
    """The mean over the views of some rows: (n, width) float32."""
    of_views = [
        stores[view].read(listed.digests[rows, source.column(view)]) for view in source.views
    ]
    return np.sum(of_views, axis=0, dtype=np.float32) / np.float32(len(of_views))


def _lacking(
    stores: Mapping[str, FeatureStore], listed: listing.Listing, source: FeatureSource
) -> dict[str, np.ndarray]:
    """By view, (N,) bool: the rows whose features the store lacks, each content once."""
    lacking = {}
    for view, store in stores.items():
        digests, first = np.unique(listed.digests[:, source.column(view)], return_index=True)
        lacking[view] = np.zeros(len(listed.ids), bool)
        lacking[view][first[~store.holds(digests)]] = True
    return lacking


def _compute(
    folders: Mapping[str, Path],
    lacking: Mapping[str, np.ndarray],
    listed: listing.Listing,
    source: FeatureSource,
    progress: Callable[[int], None],
) -> None:
    """Adds the rows to the stores; an image is read and decoded once for all views."""
    wanted = {view: rows for view, rows in lacking.items() if rows.any()}
    geometries = views.geometries(list(wanted))
    done = 0
    with contextlib.ExitStack() as stack:
        writers = {view: PartWriter(folders[view]) for view in wanted}
        for writer in writers.values():
            stack.callback(writer.publish)  # whatever ends this, what was computed is kept
        any_view = np.any(list(wanted.values()), axis=0)
        for rows, squares in _images(any_view, listed, source, geometries):
            for view, wanted_rows in wanted.items():
                chosen = wanted_rows[rows]
                if not chosen.any():
                    continue
                images = squares[:, geometries.index(views.geometry(view))]
                batch = images if chosen.all() else tf.boolean_mask(images, chosen)
                # In no graph of our own: a SavedModel is one, and tracing it takes a second.
                vectors = source.extractor(_normalized(batch, view)).numpy()
                _check_finite(vectors, listed.ids[rows[chosen]])
                writers[view].add(listed.digests[rows[chosen], source.column(view)], vectors)
                done += len(vectors)
                progress(done)


def _images(
    wanted: np.ndarray,
    listed: listing.Listing,
    source: FeatureSource,
    geometries: Sequence[views.Geometry],
) -> Iterator[tuple[np.ndarray, tf.Tensor]]:
    """Yields batches of the wanted rows, (n,), and their pixels, (n, G, size, size, 3) uint8.

    Decoding goes on beside the extractor, on as many cores as it leaves.
    """

    @tf.autograph.experimental.do_not_convert
    def squares(images: tf.Tensor) -> tf.Tensor:
        return source.examples.squares(images, source.image_size, geometries)

    decoded = (
        source.examples.images(listed.files, wanted)
        .map(squares, num_parallel_calls=PARALLEL)
        .batch(_BATCH_IMAGES)
        .prefetch(2)
    )
    rows, start = np.flatnonzero(wanted), 0
    for images in decoded:
        yield rows[start : start + len(images)], images
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
