"""Matplotlib's figures as inline SVG that follows the page's colours and clashes with no other."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from xml.etree import ElementTree

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Matplotlib wants colours in numbers; each of these stands for a variable of the page's style,
# which has another value in dark mode and on paper.
INK, SOFT, LINE, MARK, OTHER = "#000001", "#000002", "#000003", "#000004", "#000005"
#: CSS pixels.
INCH = 96
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


def style(name: str) -> AbstractContextManager[None]:
    """The page's manner, for a figure of this name."""
    return matplotlib.rc_context({**_STYLE, "svg.hashsalt": name})


@contextmanager
def figure(name: str, width: float, height: float) -> Iterator[Figure]:
    """A figure to draw on, in the page's manner.

    Args:
      name: unlike every other chart's on the page; the same name and content make the same bytes.
      width: of the drawing, in CSS pixels at its natural size.
      height: the same.
    """
    with style(name):
        # Not by pyplot: that keeps figures, and asks for a screen.
        drawn = Figure(figsize=(width / INCH, height / INCH), label=name)
        FigureCanvasSVG(drawn)
        yield drawn


def add_axes(
    drawn: Figure, left: float, below: float, right: float, above: float, **more: Any
) -> Axes:
    """Axes with so many CSS pixels around them; `more` is Matplotlib's.

    A layout engine would find about the same, for two or three times the time.
    """
    width, height = (INCH * inches for inches in drawn.get_size_inches())
    place = (left / width, below / height, 1 - (left + right) / width, 1 - (below + above) / height)
    return drawn.add_axes(place, **more)


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
    prefix = prefix_of(drawn)
    root = ElementTree.fromstring(buffer.getvalue())
    for element in list(root.iter()):
        _adapt(element, prefix)
    width, height = (str(round(inches * INCH)) for inches in drawn.get_size_inches())
    shape = {"class": "chart", "role": "img", "aria-label": description}
    root.attrib = {**shape, "width": width, "height": height, "viewBox": root.get("viewBox")}
    return ElementTree.tostring(root, encoding="unicode")


def prefix_of(drawn: Figure) -> str:
    """What every identifier in the figure's SVG begins with.

    Matplotlib counts from one in every figure; on one page each name may stand once.
    """
    return "c" + hashlib.sha256(drawn.get_label().encode()).hexdigest()[:8]


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
