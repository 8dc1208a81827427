"""Matplotlib's figures as inline SVG that follows the page's colours and clashes with no other."""

from __future__ import annotations

import functools
import hashlib
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Matplotlib wants colours in numbers; each of these stands for a variable of the page's style,
# which has another value in dark mode and on paper.
INK, SOFT, LINE, MARK, OTHER = "#000001", "#000002", "#000003", "#000004", "#000005"
#: CSS pixels.
_INCH = 96
#: The same beside and below axes, for their ticks and names.
_LEFT, _BELOW = 44, 40
_VARIABLES = {INK: "--ink", SOFT: "--soft", LINE: "--line", MARK: "--mark", OTHER: "--other"}

_STYLE = {
    "svg.fonttype": "none",  # text stays text: small, searchable, in the page's font
    "text.parse_math": False,  # a label with two dollar signs is no formula
    "font.size": 8,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.titlecolor": INK,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.5,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "lines.linewidth": 1.5,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "path.simplify_threshold": 0.3,
}
#: Of elements that an HTML page does not need, or that would style all of it.
_LEFT_OUT = ("metadata", "style")
_REFERENCE = re.compile(r"(^|url\()#")
_FONT = re.compile(r"font: ([\d.]+px) [^;]*")
_FAMILY = re.compile(r"; font-family: [^;]*")
_LONG_NUMBER = re.compile(r"(\d+\.\d{2})\d+")


@contextmanager
def figure(name: str, width: float, height: float) -> Iterator[Figure]:
    """A figure to draw on, in the page's manner.

    Args:
      name: unlike every other chart's on the page; the same name and content make the same bytes.
      width: of the drawing, in CSS pixels at its natural size.
      height: the same.
    """
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}):
        # Not by pyplot: that keeps figures, and asks for a screen.
        drawn = Figure(figsize=(width / _INCH, height / _INCH), label=name)
        FigureCanvasSVG(drawn)
        yield drawn


def to_svg(drawn: Figure, description: str) -> str:
    """The figure as an `<svg>` element, to be called inside of `figure`'s block.

    Args:
      drawn: the figure.
      description: what a person who does not see it is told.
    """
    for part in (drawn, *drawn.axes):
        part.patch.set_visible(False)
    buffer = io.StringIO()
    with warnings.catch_warnings():
        # The browser draws the text, in a font of its own.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        # `savefig` would draw everything twice.
        drawn.canvas.print_svg(buffer, metadata={"Date": None})
    # Matplotlib counts from one in every figure; on one page each name may stand once.
    prefix = "c" + hashlib.sha256(drawn.get_label().encode()).hexdigest()[:8]
    root = ElementTree.fromstring(buffer.getvalue())
    for element in list(root.iter()):
        _adapt(element, prefix)
    width, height = (str(round(inches * _INCH)) for inches in drawn.get_size_inches())
    shape = {"class": "chart", "role": "img", "aria-label": description}
    root.attrib = {**shape, "width": width, "height": height, "viewBox": root.get("viewBox")}
    return ElementTree.tostring(root, encoding="unicode")


def _adapt(element: ElementTree.Element, prefix: str) -> None:
    """Makes an element of an SVG file one of an HTML page; what is text stays as it is."""
    element.tag = _local(element.tag)
    for child in list(element):
        if _local(child.tag) in _LEFT_OUT:
            element.remove(child)
    if element.tag != "text":
        element.text = None
    element.tail = None
    given = {_local(key): value for key, value in element.items()}
    if element.tag == "g":
        given.pop("id", None)  # nothing refers to a group
    element.attrib = {key: _value(key, value, prefix) for key, value in given.items()}


def _value(key: str, value: str, prefix: str) -> str:
    if key == "id":
        return f"{prefix}-{value}"
    value = _REFERENCE.sub(rf"\g<1>#{prefix}-", value)
    for color, variable in _VARIABLES.items():
        value = value.replace(color, f"var({variable})")
    # The page's own font, at this size.
    value = _FAMILY.sub("", _FONT.sub(r"font-size: \1", value))
    return _LONG_NUMBER.sub(r"\1", value)


def _local(name: str) -> str:
    """A name without its namespace: HTML knows SVG's."""
    return name.rpartition("}")[2]


@contextmanager
def unit_figure(
    name: str, width: float, height: float, x: str, y: str, above: float = 6
) -> Iterator[tuple[Figure, Axes]]:
    """A figure and its only axes, both from 0 to 1, where they stand in every such figure.

    Charts that differ in `name` and lines alone are drawn on one figure, one after the other:
    making axes takes longer than drawing them.

    Args:
      name: see `figure`.
      width: see `figure`.
      height: see `figure`.
      x: what is across.
      y: what is up.
      above: CSS pixels above the axes.
    """
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}):
        drawn = _unit_figure(width, height, x, y, above)
        drawn.set_label(name)
        [axes] = drawn.axes
        try:
            yield drawn, axes
        finally:
            for artist in (*axes.lines, *axes.collections, axes.get_legend()):
                if artist is not None:
                    artist.remove()


@functools.cache
def _unit_figure(width: float, height: float, x: str, y: str, above: float) -> Figure:
    drawn = Figure(figsize=(width / _INCH, height / _INCH))
    FigureCanvasSVG(drawn)
    # A layout engine would find about the same, for twice the time.
    axes = drawn.add_axes(
        (_LEFT / width, _BELOW / height, 1 - (_LEFT + 8) / width, 1 - (_BELOW + above) / height)
    )
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=x, ylabel=y)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    return drawn
