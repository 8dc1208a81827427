"""How well one label's scores rank, and what each threshold would give."""

from __future__ import annotations

import numpy as np

from components.evaluator.counts import DECISION_POINT
from components.report.charts import figure
from components.report.charts.unit_chart import Line, unit_chart
from components.report.curves import Curves

_NOW = Line("this model", figure.MARK, 1.5)
_BEFORE = Line("last blessed", figure.OTHER, 1)
_CHANCE = Line("chance", figure.SOFT, 1, (0, (2, 2)))
_PRECISION = Line("precision", figure.SOFT, 1, (0, (1, 1.2)))
_RECALL = Line("recall", figure.SOFT, 1, (0, (4, 1.5)))
_F1 = Line("F1", figure.MARK, 1.7)


def precision_recall(label: str, now: Curves, before: Curves | None) -> str:
    """Precision over recall, beside the last blessed model's where there is one."""
    curves = {_NOW: now, _BEFORE: before} if before else {_NOW: now}
    name = f"precision-recall-{label}"
    with unit_chart(name, "recall", "precision", (*curves, _CHANCE)) as chart:
        for line, curve in curves.items():
            thinned = curve.thinned()
            chart.axes.plot(thinned.recall, thinned.precision, **line.drawing)
        chart.axes.axhline(now.prevalence, **_CHANCE.drawing)
        best = now.best
        return chart.to_svg(
            f"{label}: precision over recall. At its best F1, {now.f1[best]:.2f}, precision is "
            f"{now.precision[best]:.2f} and recall {now.recall[best]:.2f}; chance has a precision "
            f"of {now.prevalence:.2f}."
        )


def thresholds(label: str, now: Curves) -> str:
    """F1, precision and recall over the threshold, with the one that is served."""
    legend = (_PRECISION, _RECALL, _F1)
    with unit_chart(f"thresholds-{label}", "threshold of the score", "", legend) as chart:
        axes, thinned = chart.axes, now.thinned()
        # Below the lowest score every example is taken, above the highest none.
        for line, values in zip(
            legend, (thinned.precision, thinned.recall, thinned.f1), strict=True
        ):
            ends = (np.append(thinned.thresholds, 0), np.append(values, values[-1]))
            axes.plot(*ends, **line.drawing)
        axes.axvline(DECISION_POINT, color=figure.INK, linewidth=0.8)
        axes.axhline(now.all_positive_f1, color=figure.LINE, linewidth=1, linestyle=(0, (2, 2)))
        best = now.best
        axes.plot(now.thresholds[best], now.f1[best], "o", color=figure.MARK, markersize=3.5)
        return chart.to_svg(
            f"{label}: precision, recall and F1 over the threshold. F1 is highest, "
            f"{now.f1[best]:.2f}, at {now.thresholds[best]:.2f}; {DECISION_POINT} is served. "
            f"Answering yes to everything gives {now.all_positive_f1:.2f}."
        )
