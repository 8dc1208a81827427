"""Whether what came out of the pipeline may be published; if not, what to tell a person."""

from __future__ import annotations

import csv
import itertools

from components.errors import PostersError
from components.ingest import manifest as manifests
from components.ingest.manifest import Tallies
from components.ingest.options import SPLITS, IngestOptions
from components.ingest.rejection import BROKEN_IMAGE, UNREADABLE_ROW, Reason, excerpt
from components.ingest.source import Source, Written
from components.ingest.vocabulary import no_label_error
from components.paths import AnyPath

_REJECTIONS_SHOWN = 5


class TooManyRejected(PostersError):
    """Too many rows were rejected for the rest to be trusted."""


def check_any_found(
    tallies: Tallies, source: Source, rows: Written, listed: Written, options: IngestOptions
) -> None:
    """Refuses a source of which no row has an image.

    Raises:
      PostersError: it is so.
    """
    counts = manifests.count(tallies)
    found = counts["images"] + counts["undecodable"] + counts["known"] + counts["changed"]
    if found or options.url_column is not None or not counts["missing_images"]:
        return
    names = ", ".join(listed.examples) or "no image files"
    wanted = ", ".join(f"{excerpt(identifier)}.jpg" for identifier in rows.examples)
    raise PostersError(
        f"no image in {source.images} belongs to a row of {source.table}: the folder has "
        f"{names}; the rows want {wanted or 'none'}. Check --images and ingest.id_column"
    )


def check_rejected(
    tallies: Tallies, source: Source, rejected: AnyPath, options: IngestOptions
) -> None:
    """Refuses a source of which too much was rejected.

    Raises:
      TooManyRejected: it is so.
    """
    counts = manifests.count(tallies)
    found = counts["images"] + counts["undecodable"]
    missing = frozenset({Reason.MISSING_IMAGE})
    for what, number, total, reasons in (
        (f"rows of {source.table} cannot be read", "unreadable_rows", "rows", UNREADABLE_ROW),
        (f"rows of {source.table} have no image", "missing_images", "rows", missing),
        (f"images of {source.table} cannot be decoded", "undecodable", found, BROKEN_IMAGE),
    ):
        of = counts["rows"] if total == "rows" else total
        if counts[number] > options.max_rejected_share * of:
            raise TooManyRejected(
                f"{counts[number]} of {of} {what}, above ingest.max_rejected_share = "
                f"{options.max_rejected_share:g}; nothing was published. Mend or remove them, or "
                f"raise the share:\n{_show(rejected, {reason.value for reason in reasons})}"
            )


def check_splits(
    tallies: Tallies, vocabulary: tuple[str, ...], options: IngestOptions, is_first: bool
) -> None:
    """Refuses a span without labels or examples, and a first span with an empty split.

    A later one may have too few examples for every split: others are trained on with it.

    Raises:
      PostersError: it is so.
    """
    if not vocabulary:
        others = manifests.label_counts(tallies, "other_label")
        train = {label: counts["train"] for label, counts in others.items() if counts["train"]}
        raise no_label_error(train, options.min_label_count)
    empty = [split for split in SPLITS if not tallies.get(("split", split), 0)]
    if empty and (is_first or len(empty) == len(SPLITS)):
        examples = manifests.count(tallies)["examples"]
        raise PostersError(
            f"{examples} examples leave the split {' and '.join(empty)} empty; "
            "ingest more rows, or give it more with ingest.split_shares"
        )


def _show(rejected: AnyPath, reasons: set[str]) -> str:
    """The first few rejections for one of the reasons, a line each."""
    with rejected.open(encoding="utf-8", newline="") as file:
        wanted = (row for row in csv.DictReader(file) if row["reason"] in reasons)
        shown = list(itertools.islice(wanted, _REJECTIONS_SHOWN))
        more = sum(1 for _ in wanted)
    lines = []
    for row in shown:
        line = row["source"].rpartition(":")[2]
        who = f" (id {excerpt(row['id'])})" if row["id"] else ""
        lines.append(f"  line {line}{who}: {row['reason']}: {row['detail']}")
    if more:
        lines.append(f"  and {more} more")
    return "\n".join(lines)
