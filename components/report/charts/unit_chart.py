"""Charts of lines between 0 and 1, of which a page has three a label."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from components.report.charts import figure, framed

_WIDTH, _HEIGHT = 300, 220
#: CSS pixels around the axes, for ticks and names; above them with a legend, and without one.
_LEFT, _RIGHT, _BELOW, _LEGEND, _ABOVE = 44, 8, 40, 24, 6
_TICKS = ([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])


class Line(NamedTuple):
    """How a line looks, as Matplotlib has it, and what the legend calls it."""

    name: str
    color: str
    width: float
    style: str | tuple = "-"

    @property
    def drawing(self) -> dict[str, Any]:
        """For Matplotlib."""
        return {"color": self.color, "linewidth": self.width, "linestyle": self.style}


@dataclasses.dataclass(frozen=True)
class UnitChart:
    """Axes to draw on, and what goes around them.

    Attributes:
      axes: from 0 to 1 in both directions.
    """

    axes: Axes
    _frame: str

    def to_svg(self, description: str) -> str:
        """The chart as an `<svg>` element; `description` is for who does not see it."""
        return framed.to_svg(self.axes.figure, self._frame, description)


@contextmanager
def unit_chart(name: str, x: str, y: str, legend: tuple[Line, ...] = ()) -> Iterator[UnitChart]:
    """A chart to draw on.

    Args:
      name: unlike every other chart's on the page; the same name and content make the same bytes.
      x: what is across.
      y: what is up.
      legend: lines that are named above the axes.
    """
    frame = _frame(x, y, legend)
    with figure.style(name):
        drawn = _bare_figure(bool(legend))
        drawn.set_label(name)
        [axes] = drawn.axes
        try:
            yield UnitChart(axes, frame)
        finally:
            for artist in (*axes.lines, *axes.collections):
                artist.remove()


@functools.cache
def _bare_figure(has_legend: bool) -> Figure:
    """Invisible axes: making them takes longer than drawing on them."""
    drawn = Figure(figsize=(_WIDTH / figure.INCH, _HEIGHT / figure.INCH))
    FigureCanvasSVG(drawn)
    _add_axes(drawn, has_legend).set_axis_off()
    return drawn


@functools.cache
def _frame(x: str, y: str, legend: tuple[Line, ...]) -> str:
    """The elements of axes with their ticks, grid, names and legend."""
    with figure.figure(framed.NAME, _WIDTH, _HEIGHT) as drawn:
        axes = _add_axes(drawn, bool(legend))
        axes.set(xlabel=x, ylabel=y)
        axes.set_xticks(*_TICKS)
        axes.set_yticks(*_TICKS)
        if legend:
            # Above the axes, where no line runs.
            axes.legend(
                handles=[Line2D([], [], label=line.name, **line.drawing) for line in legend],
                loc="lower left", bbox_to_anchor=(0, 0.99), ncols=3, handlelength=1.8,
                columnspacing=1, borderaxespad=0.2,
            )  # fmt: skip
        return framed.frame(drawn)


def _add_axes(drawn: Figure, has_legend: bool) -> Axes:
    above = _LEGEND if has_legend else _ABOVE
    return figure.add_axes(drawn, _LEFT, _BELOW, _RIGHT, above, xlim=(0, 1), ylim=(0, 1.02))
