"""Finding the data a run reads, and refusing early what no node could use."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
from collections.abc import Iterator

from components.errors import PostersError
from components.paths import AnyPath, set_store_options, to_path
from components.store_path import StorePath
from pipeline.config import Config

SPLITS = ("train", "eval", "test")
#: What `posters ingest` calls its shards.
SHARDS = "*.tfrecord"
#: What ingest writes last: on a store a span is there once this is.
_MANIFEST = "manifest.json"
_SPAN = re.compile(r"^span-(\d+)$")


@dataclasses.dataclass(frozen=True)
class Span:
    """One ingested span.

    Attributes:
      number: from 1.
      folder: holds a folder of shards a split; a local path, or one on a store.
      labels: the vocabulary, in order.
      date: the day from which its data are, such as 2024-05-31: what its manifest says, or else the
        day, in UTC, on which that was written. Empty if neither is known, as on a store, which does
        not tell times.
    """

    number: int
    folder: AnyPath
    labels: tuple[str, ...]
    date: str = ""


def find_span(config: Config, place: AnyPath | None = None) -> Span:
    """The span that the configuration asks for.

    Args:
      config: the checked configuration.
      place: another data root, or the folder of one span; None for the configuration's data root.

    Raises:
      PostersError: it is not there, has an empty split, or has no vocabulary.
    """
    number, folder = find_folder(config, place)
    for split in SPLITS:
        _check_split(folder, split)
    return Span(number, folder, _read_vocabulary(folder), _date(folder))


def find_span_in_copy(config: Config, copy: AnyPath) -> Span:
    """The span of the configuration's data root, as a copy of it says; the root is not asked.

    Args:
      config: the checked configuration.
      copy: a copy of the data root, or of the folder of one span of it.

    Raises:
      PostersError: see `find_span`.
    """
    span = find_span(config, copy)
    return dataclasses.replace(span, folder=to_path(config.data_root) / f"span-{span.number}")


def find_folder(config: Config, place: AnyPath | None = None) -> tuple[int, AnyPath]:
    """Number and folder of the span that the configuration asks for, whatever is in it.

    Args:
      config: the checked configuration.
      place: another data root, or the folder of one span; None for the configuration's data root.

    Raises:
      PostersError: it is not there.
    """
    root = place or to_path(config.data_root)
    if isinstance(root, StorePath):
        set_store_options(config.beam.default)
    if place is not None and (match := _SPAN.match(place.name)) and _is_span(place):
        return int(match[1]), place
    spans = {int(match[1]): path for path in _folders(root) if (match := _SPAN.match(path.name))}
    hint = "Write it with: posters ingest --csv FILE --images FOLDER --out " + str(root)
    if not spans:
        raise PostersError(f"data_root: {root} holds no span-<N> folder of examples. {hint}")
    number = max(spans) if config.span == "latest" else config.span
    if number not in spans:
        there = ", ".join(str(span) for span in sorted(spans))
        raise PostersError(f"span: {root} has no span-{number}; it has {there}.")
    return number, spans[number]


def _date(folder: AnyPath) -> str:
    """See `Span.date`."""
    manifest = folder / _MANIFEST
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    if content.get("date"):
        return str(content["date"])
    if isinstance(manifest, StorePath):
        return ""
    written = datetime.datetime.fromtimestamp(manifest.stat().st_mtime, datetime.timezone.utc)
    return str(written.date())


def _folders(root: AnyPath) -> Iterator[AnyPath]:
    if isinstance(root, StorePath):
        yield from filter(_is_span, root.folders("span-"))
    elif root.is_dir():
        yield from root.iterdir()


def _is_span(folder: AnyPath) -> bool:
    return (folder / _MANIFEST).exists() if isinstance(folder, StorePath) else folder.is_dir()


def _check_split(folder: AnyPath, split: str) -> None:
    shards = list((folder / split).glob(SHARDS))
    if any(shard.stat().st_size for shard in shards):
        return
    found = f"{len(shards)} empty shard(s)" if shards else "no shard"
    raise PostersError(
        f"{folder / split}: the {split} split has {found}, so there is no example to "
        f"{'train on' if split == 'train' else 'measure with'}. Ingest more examples, or raise its "
        "share with ingest.split_shares."
    )


def _read_vocabulary(folder: AnyPath) -> tuple[str, ...]:
    path = folder / "vocabulary.txt"
    try:
        labels = tuple(path.read_text(encoding="utf-8").split("\n"))
    except OSError as error:
        raise PostersError(
            f"{path} cannot be read ({error.strerror}): it lists the labels, one a line, and "
            "`posters ingest` writes it. Ingest again into another folder."
        ) from error
    labels = tuple(label for label in labels if label)
    if not labels or len(set(labels)) != len(labels):
        raise PostersError(f"{path} must list each label once, one a line; it has {len(labels)}.")
    return labels
