"""Whether a probability of 0.7 is right seven times in ten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.report.charts import figure
from components.report.charts.unit_chart import unit_chart


def calibration(name: str, title: str, bins: Sequence[Mapping[str, Any]]) -> str | None:
    """Share of positives over the mean probability, a point a bin, larger where more examples are.

    Args:
      name: of the chart, unlike every other's.
      title: whose probabilities they are.
      bins: `mean_probability`, `share_positive` and `count` each.

    Returns:
      None if no bin holds an example.
    """
    filled = [item for item in bins if item["count"]]
    if not filled:
        return None
    most = max(item["count"] for item in filled)
    with unit_chart(name, "probability given", "share that has it") as chart:
        axes = chart.axes
        axes.plot([0, 1], [0, 1], color=figure.SOFT, linewidth=1, linestyle=(0, (2, 2)))
        given = [item["mean_probability"] for item in filled]
        true = [item["share_positive"] for item in filled]
        axes.plot(given, true, color=figure.MARK, linewidth=1)
        sizes = [8 + 50 * item["count"] / most for item in filled]
        axes.scatter(given, true, s=sizes, color=figure.MARK, linewidths=0, zorder=3)
        points = "; ".join(
            f"{item['mean_probability']:.2f} given, {item['share_positive']:.2f} true of "
            f"{item['count']}"
            for item in filled
        )
        return chart.to_svg(f"Calibration of {title}: {points}.")
