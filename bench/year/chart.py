"""The year as a chart: what came in, what was decided, and how good the served model was."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bench.year.simulation import Attempt, Lived

#: Colour and name by what a week came to.
_KINDS = {
    "pushed": ("#2a7f4f", "trained and pushed"),
    "skip": ("#b8bcc4", "no reason to train"),
    "refused": ("#d9822b", "model refused"),
    "data": ("#b3261e", "data refused"),
    "killed": ("#5b3fa0", "killed"),
}
_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "year", "font.size": 9}
_SIZE = (11.0, 5.2)


def draw(weeks: Sequence[Lived]) -> str:
    """The chart as an SVG file; the same weeks make the same bytes."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=_SIZE, layout="constrained", facecolor="white")
        FigureCanvasSVG(figure)
        quality, posters = figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
        _draw_quality(quality, weeks)
        _draw_posters(posters, weeks)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _draw_quality(axes: Axes, weeks: Sequence[Lived]) -> None:
    numbers = [week.number for week in weeks]
    axes.step(numbers, [week.served_macro_f1 for week in weeks], where="post", color="#2a7f4f")
    for week in weeks:
        for attempt in week.attempts:
            if attempt.version:
                axes.plot(week.number, attempt.macro_f1, "o", color=_KINDS["pushed"][0])
            elif attempt.macro_f1 is not None:
                axes.plot(week.number, attempt.macro_f1, "x", color=_KINDS["refused"][0])
    axes.set_ylabel("macro-F1 on its test split")
    axes.set_ylim(0, 1)
    axes.set_title("the model that serves; crosses are models that were refused", fontsize=9)


def _draw_posters(axes: Axes, weeks: Sequence[Lived]) -> None:
    # The catalogue of the first week would leave the others no room.
    top = max([week.posters for week in weeks[1:]] or [100]) * 1.6
    for kind, (color, name) in _KINDS.items():
        chosen = [week for week in weeks if kind_of(week.attempts) == kind]
        heights = [max(1.5, min(week.posters, top)) for week in chosen]
        axes.bar([week.number for week in chosen], heights, color=color, label=name)
    for week in weeks:
        if week.event:
            cut = week.posters > top
            name = f"{week.event}: {week.posters}" if cut else week.event
            place = (week.number, 2 if cut else max(1.5, week.posters) + 2)
            color = "white" if cut else "black"
            axes.annotate(
                name, place, rotation=90, ha="center", va="bottom", fontsize=7, color=color
            )
    axes.set_ylim(0, top)
    axes.set_xlim(0.3, len(weeks) + 0.7)
    axes.set_ylabel("posters that came in")
    axes.set_xlabel("week")
    axes.legend(loc="upper right", ncols=len(_KINDS), frameon=False, fontsize=8)


def kind_of(attempts: Sequence[Attempt]) -> str:
    """What a week came to, one of `_KINDS`: what it pushed, else what went wrong, else nothing."""
    found = [_kind(attempt) for attempt in attempts]
    return next(kind for kind in ("pushed", "killed", "data", "refused", "skip") if kind in found)


def _kind(attempt: Attempt) -> str:
    if attempt.status < 0:
        return "killed"
    if attempt.verdict == "refuse" or attempt.outcome == "data refused":
        return "data"
    return attempt.outcome or "skip"
