"""Asking about posters, a batch at a time, with the next batch under way meanwhile."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from components.ingest.download import Downloader
from components.ingest.options import IngestOptions
from components.serving.posters import Poster, Unreadable, read
from components.serving.prediction import Answerer, Prediction

T = TypeVar("T")
S = TypeVar("S")

#: Images a request; the model itself bounds its memory whatever the number.
BATCH_IMAGES = 64
#: Batches under way: while one is passed forward another is read and decoded.
_UNDER_WAY = 2


def predict(
    answerer: Answerer,
    posters: Iterable[Poster],
    options: IngestOptions,
    downloader: Downloader | None = None,
) -> Iterator[tuple[Poster, Prediction]]:
    """Asks about every poster; one that cannot be read spoils no other.

    Args:
      answerer: what is asked; by several threads at once.
      posters: of which a bounded number is held at a time.
      options: limits of an image.
      downloader: for posters that are downloaded.

    Yields:
      Each poster and what is said of it, in their order.
    """

    def ask(batch: list[Poster]) -> list[tuple[Poster, Prediction]]:
        return list(zip(batch, _ask(answerer, batch, options, downloader), strict=True))

    for answers in map_ahead(ask, batches(posters, BATCH_IMAGES)):
        yield from answers


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` items, the last one shorter."""
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        yield batch


def map_ahead(function: Callable[[T], S], items: Iterable[T]) -> Iterator[S]:
    """Applies a function to items in threads, a few at a time; results come in the items' order."""
    pending: collections.deque[Future[S]] = collections.deque()
    with ThreadPoolExecutor(_UNDER_WAY) as pool:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > _UNDER_WAY:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _ask(
    answerer: Answerer,
    batch: list[Poster],
    options: IngestOptions,
    downloader: Downloader | None,
) -> Iterator[Prediction]:
    images = _read_all(batch, options, downloader)
    answers = iter(answerer.ask([image for image in images if isinstance(image, bytes)]))
    for image in images:
        yield next(answers) if isinstance(image, bytes) else Prediction.failed(str(image))


def _read_all(
    batch: list[Poster], options: IngestOptions, downloader: Downloader | None
) -> list[bytes | Unreadable]:
    def attempt(poster: Poster) -> bytes | Unreadable:
        try:
            return read(poster, options, downloader)
        except Unreadable as error:
            return error

    if not any(poster.url for poster in batch):
        return [attempt(poster) for poster in batch]
    with ThreadPoolExecutor(options.download_workers) as pool:
        return list(pool.map(attempt, batch))
