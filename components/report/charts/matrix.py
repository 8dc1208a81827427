"""Which labels go together, in truth and in what the model gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from components.report.charts import figure

#: CSS pixels of a cell, of a letter beside or above the cells, and of what is left free.
_CELL, _LETTER, _FREE = 24, 6.5, 20
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
    names = [
        label if len(label) <= _LETTERS else f"{label[: _LETTERS - 1]}\u2026" for label in labels
    ]
    side = _CELL * size + _LETTER * max(map(len, names)) + _FREE
    with figure.figure(name, side, side) as drawn:
        drawn.set_layout_engine("constrained")
        axes = drawn.subplots()
        axes.grid(False)
        axes.set(xlim=(0, size), ylim=(size, 0), aspect="equal")
        axes.xaxis.tick_top()
        axes.set_xticks(np.arange(size) + 0.5, names, rotation=90)
        axes.set_yticks(np.arange(size) + 0.5, names)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        np.fill_diagonal(shares, 0)  # of itself it says nothing
        cells = [Rectangle((column, row), 0.94, 0.94) for row, column in np.ndindex(size, size)]
        colors = [(*to_rgb(figure.MARK), 0.04 + 0.96 * share) for share in shares.flat]
        axes.add_collection(PatchCollection(cells, facecolors=colors, edgecolors="none"))
        return figure.to_svg(drawn, f"{title}: {_strongest(labels, shares)}")


def _strongest(labels: Sequence[str], shares: np.ndarray) -> str:
    ranked = np.argsort(-shares, axis=None, kind="stable")[:3]
    pairs = [np.unravel_index(place, shares.shape) for place in ranked]
    found = [
        f"{100 * shares[row, column]:.0f} % of {labels[row]} are {labels[column]}"
        for row, column in pairs
        if shares[row, column] > 0
    ]
    return ", ".join(found) + "." if found else "no two labels go together."
