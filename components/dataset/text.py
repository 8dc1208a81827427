"""A data set as tables in the terminal."""

from __future__ import annotations

import statistics

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.dataset.facts import Facts

#: How many pairs of labels, sizes and rows of rejects are listed.
_PAIRS, _SIZES = 8, 6
_BAR = 24


def show(facts: Facts, console: Console) -> None:
    """Prints everything but the pictures."""
    console.print(f"{facts.folder}: {facts.total} examples", markup=False, style="bold")
    for note in facts.notes:
        console.print(f"  ! {note}", markup=False, style="yellow")
    if facts.total:
        console.print(_labels(facts))
        _show_pairs(facts, console)
        _show_images(facts, console)
    _show_ingest(facts, console)


def _labels(facts: Facts) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("label")
    table.add_column("all", justify="right")
    for split in facts.examples:
        table.add_column(split, justify="right")
    table.add_column("share of the examples")
    splits = [str(count) for count in facts.examples.values()]
    table.add_row(Text("examples"), str(facts.total), *splits)
    for label in facts.shown_labels:
        share = facts.count(label) / facts.total
        table.add_row(
            Text(label),
            str(facts.count(label)),
            *(str(facts.labels[split][label]) for split in facts.examples),
            Text(f"{'█' * round(share * _BAR):<{_BAR}} {share:6.1%}"),
        )
    return table


def _show_pairs(facts: Facts, console: Console) -> None:
    each = ", ".join(f"{number}: {count}" for number, count in sorted(facts.labels_each.items()))
    console.print(f"\nlabels an example: {each}", markup=False)
    pairs = ", ".join(
        f"{one} + {other} {count}" for (one, other), count in facts.together.most_common(_PAIRS)
    )
    console.print(f"most often together: {pairs or 'no two labels'}", markup=False)


def _show_images(facts: Facts, console: Console) -> None:
    formats = ", ".join(f"{name} {count}" for name, count in facts.formats.most_common())
    megabytes = facts.image_bytes / 1e6
    console.print(
        f"images: {formats or 'none'}; {megabytes:.1f} MB, "
        f"{facts.image_bytes / facts.total / 1e3:.1f} kB each",
        markup=False,
    )
    sizes = ", ".join(
        f"{width}x{height} {count}" for (width, height), count in facts.sizes.most_common(_SIZES)
    )
    more = len(facts.sizes) - _SIZES
    console.print(
        f"pixels: {sizes or 'unknown'}" + (f" and {more} other sizes" if more > 0 else ""),
        markup=False,
    )
    years = [
        year for year, count in facts.decades.items() if year is not None for _ in range(count)
    ]
    if years:
        console.print(
            f"years: {min(years)}s to {max(years)}s, half of them before the "
            f"{statistics.median_high(years) + 10}s; {facts.decades[None]} without",
            markup=False,
        )


def _show_ingest(facts: Facts, console: Console) -> None:
    listed = facts.lists
    if listed.counts:
        rows = ", ".join(
            f"{name.replace('_', ' ')} {count}" for name, count in listed.counts.items()
        )
        console.print(f"\ningest: {rows}", markup=False)
    for reason, count in listed.rejected.items():
        console.print(f"  {count} {reason.replace('_', ' ')}", markup=False)
        for reject in listed.rejects.get(reason, [])[:2]:
            console.print(f"      {reject.id} ({reject.source}): {reject.detail}", markup=False)
    if listed.dropped:
        rare = ", ".join(f"{label} {count}" for label, count in listed.dropped.items())
        console.print(f"labels dropped, too rare: {rare}", markup=False)
