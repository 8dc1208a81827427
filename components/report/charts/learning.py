"""What happened epoch by epoch."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from components.report.charts import figure

_WIDTH, _HEIGHT = 350, 210
#: Around the axes: left of them numbers of six digits have room, above them an offset of all.
_MARGINS = {"left": 62, "below": 38, "right": 6, "above": 16}

_Rows = Sequence[Mapping[str, Any]]


def epochs(history: _Rows) -> int:
    """How many epochs all stages trained for."""
    return sum(map(_is_training, history))


def loss(history: _Rows) -> str:
    """The loss of train and of eval; the stages one after the other."""
    with figure.figure("learning-loss", _WIDTH, _HEIGHT) as drawn:
        axes = figure.add_axes(drawn, **_MARGINS)
        _draw(axes, history, "loss", "train", figure.MARK)
        _draw(axes, history, "eval_loss", "eval", figure.OTHER)
        axes.set_ylabel("loss")
        axes.legend()
        return figure.to_svg(drawn, f"Loss over {epochs(history)} epochs. {_ends(history, 'loss')}")


def ranking(history: _Rows) -> str:
    """Macro AUC on eval."""
    with figure.figure("learning-ranking", _WIDTH, _HEIGHT) as drawn:
        axes = figure.add_axes(drawn, **_MARGINS)
        _draw(axes, history, "eval_macro_auc", "eval", figure.OTHER)
        axes.set_ylabel("macro AUC on eval")
        ends = _ends(history, "eval_macro_auc")
        return figure.to_svg(drawn, f"Macro AUC on eval over {epochs(history)} epochs. {ends}")


def _draw(axes: Axes, history: _Rows, key: str, name: str, color: str) -> None:
    # What fine-tuning began with stands where the first stage ended.
    places = list(itertools.accumulate(_is_training(row) for row in history))
    points = [
        (place, row[key])
        for place, row in zip(places, history, strict=True)
        if row.get(key) is not None
    ]
    if points:
        axes.plot(*zip(*points, strict=True), color=color, label=name, marker=_marker(points))
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    stages = [row.get("stage", 1) for row in history]
    for place, (one, other) in zip(places, itertools.pairwise(stages), strict=False):
        if one != other:
            axes.axvline(place + 0.5, color=figure.SOFT, linewidth=1, linestyle=(0, (2, 2)))


def _is_training(row: Mapping[str, Any]) -> bool:
    # Fine-tuning begins with a row for epoch 0: what the first stage gave.
    return row["epoch"] > 0


def _marker(points: Sequence[tuple[int, float]]) -> str | None:
    # A line of one point is invisible.
    return "o" if len(points) == 1 else None


def _ends(history: _Rows, key: str) -> str:
    values = [row[key] for row in history if row.get(key) is not None]
    return f"From {values[0]:.3f} to {values[-1]:.3f}." if values else "Nothing was measured."
