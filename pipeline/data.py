"""Finding data: a data root's newest span, or one that a person names."""

from __future__ import annotations

import dataclasses

from components.errors import PostersError
from components.paths import AnyPath, set_store_options, to_path
from components.spans import reading
from components.spans.reading import SPLITS as SPLITS
from components.spans.words import ranges
from components.store_path import StorePath
from pipeline.config import Config

#: What `posters ingest` calls its shards.
SHARDS = "*.tfrecord"


@dataclasses.dataclass(frozen=True)
class Span:
    """One ingested span, as what looks at a single one needs it.

    Attributes:
      number: from 1.
      folder: holds a folder of shards a split; a local path, or one on a store.
      labels: the vocabulary, in order.
    """

    number: int
    folder: AnyPath
    labels: tuple[str, ...]


def find_span(config: Config, place: AnyPath | None = None) -> Span:
    """The newest span.

    Args:
      config: the checked configuration.
      place: another data root, or the folder of one span; None for the configuration's data root.

    Raises:
      PostersError: there is none, or it has no vocabulary.
    """
    number, folder = find_folder(config, place)
    return Span(number, folder, reading.read_vocabulary(folder))


def find_folder(
    config: Config, place: AnyPath | None = None, number: int | None = None
) -> tuple[int, AnyPath]:
    """Number and folder of a span, whatever is in it.

    Args:
      config: the checked configuration.
      place: another data root, or the folder of one span; None for the configuration's data root.
      number: the span's; None for the newest.

    Raises:
      PostersError: it is not there.
    """
    root = open_root(config, place)
    if place is not None and (of_place := reading.number_of(place)) is not None:
        return of_place, place
    numbers = find_numbers(root)
    wanted = numbers[-1] if number is None else number
    if wanted not in numbers:
        raise PostersError(f"--span: {root} has no span-{wanted}; it has {ranges(numbers)}.")
    return wanted, root / f"span-{wanted}"


def open_root(config: Config, place: AnyPath | None = None) -> AnyPath:
    """The data root, or another place in its stead, ready to be asked."""
    root = place or to_path(config.data_root)
    if isinstance(root, StorePath):
        set_store_options(config.beam.default)
    return root


def find_numbers(root: AnyPath) -> list[int]:
    """The numbers of a data root's spans, ascending; at least one.

    Raises:
      PostersError: there is none.
    """
    if numbers := reading.numbers(root):
        return numbers
    raise PostersError(
        f"data_root: {root} holds no span-<N> folder of examples. Write it with: posters ingest "
        f"--csv FILE --images FOLDER --out {root}"
    )
