"""Matplotlib's figures as inline SVG that follows the page's colours and clashes with no other."""

from __future__ import annotations

import hashlib
import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

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
#: Matplotlib writes what the elements of an HTML page do not need, or what the page says itself.
_LEFT_OUT = re.compile(
    r"<metadata>.*?</metadata>|<style type=\"text/css\">.*?</style>|<!--.*?-->"
    r"|(?<=<g) id=\"[^\"]*\"|(?<=<svg)[^>]*(?= viewBox)"
    r"|(?<=\") (?:xmlns(?::xlink)?|version)=\"[^\"]*\""
    r"|; font-family: [^;\"]*|<defs>\s*</defs>",
    re.DOTALL,
)
_IDENTIFIER = re.compile(r"(\bid=\"|href=\"#|url\(#)")
_FONT = re.compile(r"font: ([\d.]+px) [^;\"]*")
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
    text = buffer.getvalue()
    text = _LEFT_OUT.sub("", text[text.index("<svg") :]).replace("xlink:href", "href")
    # Matplotlib counts from one in every figure; on one page each name may stand once.
    prefix = "c" + hashlib.sha256(drawn.get_label().encode()).hexdigest()[:8]
    text = _IDENTIFIER.sub(rf"\g<1>{prefix}-", text)
    text = _LONG_NUMBER.sub(r"\1", _FONT.sub(r"font-size: \1", text))
    for color, variable in _VARIABLES.items():
        text = text.replace(color, f"var({variable})")
    width, height = (round(inches * _INCH) for inches in drawn.get_size_inches())
    attributes = (
        f'class="chart" role="img" aria-label="{html.escape(description, quote=True)}" '
        f'width="{width}" height="{height}"'
    )
    text = re.sub(r"\s*\n\s*", "\n", text.strip())
    return text.replace("<svg", f"<svg {attributes}", 1)


def unit_axes(drawn: Figure, x: str, y: str, above: float = 6) -> Axes:
    """The figure's only axes, both from 0 to 1, where they stand in every such figure.

    Args:
      drawn: the figure.
      x: what is across.
      y: what is up.
      above: CSS pixels above the axes.
    """
    width, height = drawn.get_size_inches() * _INCH
    # A layout engine would find about the same, for twice the time.
    axes = drawn.add_axes(
        (_LEFT / width, _BELOW / height, 1 - (_LEFT + 8) / width, 1 - (_BELOW + above) / height)
    )
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=x, ylabel=y)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    return axes
