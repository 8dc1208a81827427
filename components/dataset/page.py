"""A data set as one HTML page that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

import datetime
import importlib.resources
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2

from components.dataset.facts import Facts
from components.dataset.sheet import LABELS

#: Labels in the table of those that occur together; sizes and pairs that are listed.
_TOGETHER, _SIZES = 25, 8
_TEMPLATE = "page.html"


def render(facts: Facts, written: datetime.date) -> str:
    """The page.

    Args:
      facts: of one span.
      written: the day that the page bears.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["share"] = _share
    environment.filters["number"] = lambda number: f"{number:,}".replace(",", "\u202f")
    environment.filters["words"] = lambda text: text.replace("_", " ")
    source = (importlib.resources.files("components.dataset") / _TEMPLATE).read_text("utf-8")
    return environment.from_string(source).render(
        facts=facts,
        written=written.isoformat(),
        labels=_label_rows(facts),
        together=_together(facts),
        sizes=_bars({f"{w} x {h}": count for (w, h), count in facts.sizes.most_common(_SIZES)}),
        other_sizes=max(0, len(facts.sizes) - _SIZES),
        image=_image_figures(facts),
        decades=_bars(_decades(facts)),
        labels_each=_bars({str(key): facts.labels_each[key] for key in sorted(facts.labels_each)}),
        sheet=_sheet(facts),
        labels_not_shown=max(0, len(facts.shown_labels) - LABELS),
    )


def _label_rows(facts: Facts) -> list[dict[str, Any]]:
    known = set(facts.vocabulary)
    largest = max((facts.count(label) for label in facts.shown_labels), default=0) or 1
    return [
        {
            "name": label,
            "count": facts.count(label),
            "share": facts.count(label) / max(1, facts.total),
            "width": 100 * facts.count(label) / largest,
            "splits": {
                split: (counts[label], counts[label] / max(1, facts.examples[split]))
                for split, counts in facts.labels.items()
            },
            "known": label in known,
        }
        for label in facts.shown_labels
    ]


def _together(facts: Facts) -> dict[str, Any]:
    """Of the examples with the row's label, the share that has the column's too."""
    names = [label for label in facts.shown_labels if facts.count(label)][:_TOGETHER]
    rows = []
    for one in names:
        cells = []
        for other in names:
            both = facts.together[min(one, other), max(one, other)]
            share = both / facts.count(one)
            cells.append({"both": both, "share": share, "name": other, "same": one == other})
        rows.append({"name": one, "cells": cells})
    left_out = sum(1 for label in facts.shown_labels if facts.count(label)) - len(names)
    return {"names": names, "rows": rows, "left_out": left_out}


def _bars(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    largest = max(counts.values(), default=0) or 1
    return [
        {"name": name, "count": count, "width": 100 * count / largest}
        for name, count in counts.items()
    ]


def _decades(facts: Facts) -> dict[str, int]:
    years = sorted(year for year in facts.decades if year is not None)
    counts = (
        {f"{year}s": facts.decades[year] for year in range(years[0], years[-1] + 10, 10)}
        # Years from one wrong row must not stretch the list to thousands of lines.
        if years and years[-1] - years[0] <= 300
        else {f"{year}s": facts.decades[year] for year in years}
    )
    if facts.decades[None]:
        counts["no year"] = facts.decades[None]
    return counts


def _image_figures(facts: Facts) -> list[tuple[str, str]]:
    readable = sum(facts.sizes.values())
    if not readable:
        return []
    figures = [("files", f"{facts.image_bytes / 1e6:,.1f} MB")]
    figures.append(("each, on average", f"{facts.image_bytes / facts.total / 1e3:,.1f} kB"))
    figures += [(name, str(count)) for name, count in facts.formats.most_common()]
    for word, side in (("width", 0), ("height", 1)):
        pixels = sorted(size[side] for size in facts.sizes.elements())
        middle = statistics.median_low(pixels)
        spread = f"{pixels[0]} to {pixels[-1]}, median {middle}"
        figures.append((f"{word}, in pixels", str(middle) if pixels[0] == pixels[-1] else spread))
    return figures


def _sheet(facts: Facts) -> Sequence[dict[str, Any]]:
    groups = []
    for label, pictures in facts.sheet.items():
        shown = [(picture, uri) for picture in pictures if (uri := picture.data_uri())]
        groups.append({"label": label, "count": facts.count(label), "pictures": shown})
    return groups


def _share(value: float) -> str:
    percent = 100 * value
    return f"{percent:.1f} %" if percent < 9.95 else f"{percent:.0f} %"
