"""How well one label's scores rank, and what each threshold would give."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from components.evaluator.counts import DECISION_POINT
from components.report.charts import figure
from components.report.curves import Curves

_WIDTH, _HEIGHT = 300, 220
#: CSS pixels above the axes, for the names of the lines.
_LEGEND = 24


def precision_recall(label: str, now: Curves, before: Curves | None) -> str:
    """Precision over recall, beside the last blessed model's where there is one."""
    with figure.unit_figure(
        f"precision-recall-{label}", _WIDTH, _HEIGHT, "recall", "precision", _LEGEND
    ) as (drawn, axes):
        for curve, color, width, name in (
            (now, figure.MARK, 1.5, "this model"),
            (before, figure.OTHER, 1, "last blessed"),
        ):
            if curve:
                thinned = curve.thinned()
                axes.plot(
                    thinned.recall, thinned.precision, color=color, linewidth=width, label=name
                )
        axes.axhline(
            now.prevalence, color=figure.SOFT, linewidth=1, linestyle=(0, (2, 2)), label="chance"
        )
        _explain(axes)
        best = now.best
        return figure.to_svg(
            drawn,
            f"{label}: precision over recall. At its best F1, {now.f1[best]:.2f}, precision is "
            f"{now.precision[best]:.2f} and recall {now.recall[best]:.2f}; chance has a precision "
            f"of {now.prevalence:.2f}.",
        )


def thresholds(label: str, now: Curves) -> str:
    """F1, precision and recall over the threshold, with the one that is served."""
    with figure.unit_figure(
        f"thresholds-{label}", _WIDTH, _HEIGHT, "threshold of the score", "", _LEGEND
    ) as (drawn, axes):
        thinned = now.thinned()
        # Below the lowest score every example is taken, above the highest none.
        for values, color, style, name in (
            (thinned.precision, figure.SOFT, (0, (1, 1.2)), "precision"),
            (thinned.recall, figure.SOFT, (0, (4, 1.5)), "recall"),
            (thinned.f1, figure.MARK, "-", "F1"),
        ):
            ends = (np.append(thinned.thresholds, 0), np.append(values, values[-1]))
            width = 1.7 if name == "F1" else 1
            axes.plot(*ends, color=color, linestyle=style, linewidth=width, label=name)
        axes.axvline(DECISION_POINT, color=figure.INK, linewidth=0.8)
        axes.axhline(now.all_positive_f1, color=figure.LINE, linewidth=1, linestyle=(0, (2, 2)))
        best = now.best
        axes.plot(now.thresholds[best], now.f1[best], "o", color=figure.MARK, markersize=3.5)
        _explain(axes)
        return figure.to_svg(
            drawn,
            f"{label}: precision, recall and F1 over the threshold. F1 is highest, "
            f"{now.f1[best]:.2f}, at {now.thresholds[best]:.2f}; {DECISION_POINT} is served. "
            f"Answering yes to everything gives {now.all_positive_f1:.2f}.",
        )


def _explain(axes: Axes) -> None:
    """Names the lines above the axes, where no line runs."""
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 0.99), ncols=3, handlelength=1.8, columnspacing=1,
        borderaxespad=0.2,
    )  # fmt: skip
