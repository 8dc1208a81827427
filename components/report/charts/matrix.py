"""Which labels go together, in truth and in what the model gives."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from components.dataset.lists import plain
from components.report.charts import figure, framed

#: CSS pixels of a cell, of a letter beside or above the cells, of a Chinese one, and what is free.
_CELL, _LETTER, _WIDE_LETTER, _FREE = 24, 6.5, 11, 12
#: Letters of a label that are shown.
_LETTERS = 24


def together(name: str, title: str, labels: Sequence[str], counts: np.ndarray) -> str:
    """Of the examples with the row's label, the share that has the column's: darker is more.

    Args:
      name: of the chart, unlike every other's.
      title: what is counted.
      labels: L names.
      counts: (L, L); the diagonal counts the examples with each label.
    """
    counts = np.asarray(counts, float)
    own = np.diag(counts)[:, np.newaxis]
    shares = np.divide(counts, own, out=np.zeros_like(counts), where=own > 0)
    size = len(labels)
    labels = [plain(label) for label in labels]
    names = [
        label if len(label) <= _LETTERS else f"{label[: _LETTERS - 1]}\u2026" for label in labels
    ]
    np.fill_diagonal(shares, 0)  # of itself it says nothing
    corner = np.array([(column, row) for row, column in np.ndindex(size, size)])
    cells = corner[:, np.newaxis] + [(0, 0), (0.94, 0), (0.94, 0.94), (0, 0.94)]
    colors = [(*to_rgb(figure.MARK), 0.04 + 0.96 * share) for share in shares.flat]
    with figure.figure(name, *_sides(names)) as drawn:
        axes = _add_axes(drawn, names)
        axes.set_axis_off()
        axes.add_collection(PolyCollection(cells, facecolors=colors, edgecolors="none"))
        description = f"{title}: {_strongest(labels, shares)}"
        return framed.to_svg(drawn, _frame(tuple(names)), description)


@functools.lru_cache(maxsize=1)
def _frame(names: tuple[str, ...]) -> str:
    """The elements of the names beside the cells and above them."""
    with figure.figure(framed.NAME, *_sides(names)) as drawn:
        axes = _add_axes(drawn, names)
        axes.grid(False)
        axes.xaxis.tick_top()
        axes.set_xticks(np.arange(len(names)) + 0.5, names, rotation=90)
        axes.set_yticks(np.arange(len(names)) + 0.5, names)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        return framed.frame(drawn)


def _sides(names: Sequence[str]) -> tuple[float, float]:
    side = _CELL * len(names) + max(map(_width, names)) + _FREE
    return side, side


def _width(name: str) -> float:
    wide = sum(unicodedata.east_asian_width(letter) in ("W", "F") for letter in name)
    return _LETTER * (len(name) - wide) + _WIDE_LETTER * wide


def _add_axes(drawn: Figure, names: Sequence[str]) -> Axes:
    """The cells' place, to the right of their names and below them."""
    # A layout engine would draw all names twice more to find their size.
    share = _CELL * len(names) / _sides(names)[0]
    return drawn.add_axes((1 - share, 0, share, share), xlim=(0, len(names)), ylim=(len(names), 0))


def _strongest(labels: Sequence[str], shares: np.ndarray) -> str:
    ranked = np.argsort(-shares, axis=None, kind="stable")[:3]
    pairs = [np.unravel_index(place, shares.shape) for place in ranked]
    found = [
        f"{100 * shares[row, column]:.0f} % of {labels[row]} are {labels[column]}"
        for row, column in pairs
        if shares[row, column] > 0
    ]
    return ", ".join(found) + "." if found else "no two labels go together."
