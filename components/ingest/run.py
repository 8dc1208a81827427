"""The whole ingest: read the table, look at every image, split, write, publish."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.errors import PostersError
from components.files import new_folder, write_text
from components.ingest import manifest as manifests
from components.ingest import rejection, vocabulary
from components.ingest.decode import check_images, tensorflow_decoder
from components.ingest.images import SUFFIXES, ImageFolder, list_images
from components.ingest.options import SPLITS, IngestOptions
from components.ingest.records import Item, Shard, write_split
from components.ingest.rejection import Reason, Rejection
from components.ingest.screen import Screened, screen_rows
from components.ingest.split import position, split_of
from components.ingest.table import Row, read_table

SPAN = "span-1"
VOCABULARY = "vocabulary.txt"
REJECTED = "rejected.csv"
_REJECTIONS_SHOWN = 5

Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True)
class IngestResult:
    """What an ingest left.

    Attributes:
      folder: the span's folder.
      manifest: the content of its `manifest.json`.
      already_done: the span was there, from this source with these options; nothing was written.
    """

    folder: Path
    manifest: Mapping[str, Any]
    already_done: bool


def ingest(
    csv: Path,
    images: Path,
    out: Path,
    options: IngestOptions,
    progress: Progress | None = None,
) -> IngestResult:
    """Writes `out/span-1` from a table and a folder of images, or leaves things as they were.

    Args:
      csv: the table.
      images: the folder with a file `<id>.<suffix>` for each of its rows.
      out: where the span goes; made if it is not there.
      options: how to read the source.
      progress: called with (done, total) numbers of images. Each image is gone through twice,
        to check and to write it, and each time counts half.

    Raises:
      PostersError: the source, the options or the place to write to need a person.
    """
    folder = out / SPAN
    listing = list_images(images)
    source = manifests.describe_source(csv, listing)
    published = manifests.find_published(folder, source, options)
    if published is not None:
        return IngestResult(folder, published, already_done=True)

    matched = _match(csv, listing, options)
    steps = _Steps(len(matched.rows), progress)
    with _publishing(out, folder) as scratch:
        items, broken = _check(matched.rows, listing, options, steps)
        _check_share(f"images in {images} cannot be decoded", broken, len(matched.rows), options)
        train_counts = vocabulary.count_labels(
            item.labels for item in items if split_of(item.row.id, options.split_shares) == "train"
        )
        kept = vocabulary.choose_vocabulary(train_counts, options.min_label_count)
        splits, unlabelled = _split(items, kept, options)
        rejections = matched.rejections + broken + unlabelled
        shards = _write(scratch, splits, options, steps)
        manifest = manifests.build(
            source, options, rejections, matched.repeats, train_counts, kept, splits, shards
        )
        write_text(scratch / VOCABULARY, "".join(f"{label}\n" for label in kept))
        write_text(scratch / REJECTED, rejection.to_csv(rejections, csv.name))
        write_text(scratch / manifests.NAME, manifests.to_json(manifest))
    return IngestResult(folder, manifest, already_done=False)


class _Steps:
    """Counts half images and tells the caller's `progress` of whole ones."""

    def __init__(self, images: int, progress: Progress | None) -> None:
        self._images = images
        self._progress = progress
        self._done = 0

    def one(self) -> None:
        self.leave(2 * self._images - self._done - 1)

    def leave(self, steps: int) -> None:
        """Only so many steps are left: rejected images are not written."""
        self._done = 2 * self._images - steps
        if self._progress is not None:
            self._progress(self._done // 2, self._images)


@contextlib.contextmanager
def _publishing(out: Path, folder: Path) -> Iterator[Path]:
    """A scratch folder that becomes `folder` at the end; a failure leaves no trace of `out`."""
    existed = out.exists()
    try:
        with new_folder(folder) as scratch:
            yield scratch
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise PostersError(
            f"cannot write {folder}: {where}{error.strerror or error}; nothing was published"
        ) from error
    finally:
        if not existed and not folder.exists():
            with contextlib.suppress(OSError):
                out.rmdir()


def _match(csv: Path, listing: ImageFolder, options: IngestOptions) -> Screened:
    """The rows that may become examples and have an image, and what was set aside until then."""
    table = read_table(csv, options)
    row_count = len(table.rows) + len(table.rejections)
    _check_share(f"rows of {csv} cannot be read", table.rejections, row_count, options)
    screened = screen_rows(table.rows, options.forbidden_labels)
    found = [row for row in screened.rows if row.id in listing.files]
    if not found:
        raise _no_match(csv, listing, screened.rows)
    rejections = table.rejections + screened.rejections + _missing(screened.rows, listing)
    return Screened(found, rejections, screened.repeats)


def _check(
    rows: Sequence[Row], listing: ImageFolder, options: IngestOptions, steps: _Steps
) -> tuple[list[Item], list[Rejection]]:
    """Looks at each row's image; returns those that are fine, and the broken ones."""
    items: list[Item] = []
    broken: list[Rejection] = []
    files = [listing.files[row.id] for row in rows]
    with (
        tensorflow_decoder() as decode,
        contextlib.closing(check_images(files, options.max_image_pixels, decode)) as checks,
    ):
        for row, file, check in zip(rows, files, checks, strict=True):
            if check.reason is None:
                items.append(Item(row, row.labels, file, check.digest))
            else:
                broken.append(Rejection(row.line, row.id, check.reason, check.detail))
            steps.one()
    return items, broken


def _split(
    items: Sequence[Item], kept: Sequence[str], options: IngestOptions
) -> tuple[dict[str, list[Item]], list[Rejection]]:
    """Deals the items out to the splits; returns those without a kept label apart.

    Within a split they are in the hash's order: shuffled, and the same however the table is sorted.
    """
    splits: dict[str, list[Item]] = {split: [] for split in SPLITS}
    unlabelled: list[Rejection] = []
    for item in sorted(items, key=lambda item: (position(item.row.id), item.row.id)):
        labels = tuple(label for label in item.labels if label in kept)
        if labels:
            split = split_of(item.row.id, options.split_shares)
            splits[split].append(dataclasses.replace(item, labels=labels))
        else:
            detail = f"none of {'|'.join(item.labels)} has enough examples in the train split"
            unlabelled.append(Rejection(item.row.line, item.row.id, Reason.NO_LABEL_LEFT, detail))
    empty = [split for split in SPLITS if not splits[split]]
    if empty:
        raise PostersError(
            f"{len(items) - len(unlabelled)} examples leave the split {' and '.join(empty)} empty; "
            "ingest more rows, or give it more with ingest.split_shares"
        )
    return splits, unlabelled


def _write(
    scratch: Path, splits: Mapping[str, Sequence[Item]], options: IngestOptions, steps: _Steps
) -> list[Shard]:
    steps.leave(sum(len(items) for items in splits.values()))
    return [
        shard
        for split in SPLITS
        for shard in write_split(
            scratch, split, splits[split], options.shard_bytes, options.features, steps.one
        )
    ]


def _missing(rows: Sequence[Row], listing: ImageFolder) -> list[Rejection]:
    suffixes = ", .".join(SUFFIXES)
    return [
        Rejection(
            row.line,
            row.id,
            Reason.MISSING_IMAGE,
            f"no {rejection.excerpt(row.id)} with .{suffixes} in the images folder",
        )
        for row in rows
        if row.id not in listing.files
    ]


def _no_match(csv: Path, listing: ImageFolder, rows: Sequence[Row]) -> PostersError:
    names = ", ".join(file.path.name for file in list(listing.files.values())[:3])
    wanted = ", ".join(f"{rejection.excerpt(row.id)}.jpg" for row in rows[:3])
    return PostersError(
        f"no image in {listing.path} belongs to a row of {csv}: the folder has "
        f"{names or 'no image files'}; the rows want {wanted or 'none'}. "
        "Check --images and ingest.id_column"
    )


def _check_share(
    what: str, rejections: Sequence[Rejection], total: int, options: IngestOptions
) -> None:
    """Raises a PostersError if too many were rejected for the rest to be trusted."""
    if len(rejections) <= options.max_rejected_share * total:
        return
    shown = "\n  ".join(item.describe() for item in rejections[:_REJECTIONS_SHOWN])
    more = len(rejections) - _REJECTIONS_SHOWN
    raise PostersError(
        f"{len(rejections)} of {total} {what}, above ingest.max_rejected_share = "
        f"{options.max_rejected_share:g}; nothing was published. Mend or remove them:\n  {shown}"
        + (f"\n  and {more} more" if more > 0 else "")
    )
