"""What charts of a kind have in common, drawn once.

Matplotlib takes several times as long for ticks, names and legend as for what they are around, and
a page has many charts that differ in the latter alone.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from components.report.charts import figure

#: The name of a figure that goes around others, and what its identifiers begin with.
NAME = "frame"
_PREFIX = figure.prefix_of(Figure(label=NAME))


def frame(drawn: Figure) -> str:
    """The elements of a figure with the name `NAME`, to be called inside of `figure`'s block."""
    return figure.to_svg(drawn, "").partition(">")[2].removesuffix("</svg>")


def to_svg(drawn: Figure, around: str, description: str) -> str:
    """A figure and what is around it as one `<svg>` element.

    Args:
      drawn: of the same size as what is around it.
      around: from `frame`.
      description: see `figure.to_svg`.
    """
    opening, _, elements = figure.to_svg(drawn, description).partition(">")
    own = f"{figure.prefix_of(drawn)}f"
    return f"{opening}>{around.replace(_PREFIX, own)}{elements}"
