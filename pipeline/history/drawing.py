"""A graph as the lines and boxes of an SVG, in pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.history import layout

#: Of a box, and between boxes.
_WIDTH, _HEIGHT, _GAP, _DROP = 178, 46, 22, 44
_MARGIN = 10
#: Letters that fit into a box.
_LETTERS = 24


@dataclasses.dataclass(frozen=True)
class Box:
    """A box: its upper left corner, and what stands in it."""

    x: float
    y: float
    kind: str
    title: str
    line: str
    full: str


@dataclasses.dataclass(frozen=True)
class Line:
    """An arrow: the `d` of an SVG path, and what passes along it."""

    path: str
    label: str


@dataclasses.dataclass(frozen=True)
class Drawing:
    """All of it, with the size that it takes."""

    width: float
    height: float
    box_width: int
    box_height: int
    boxes: Sequence[Box]
    lines: Sequence[Line]


def draw(graph: Mapping[str, Sequence[Mapping[str, Any]]]) -> Drawing:
    """Places and draws a graph; see `graph.of_model` for its form."""
    labels: dict[tuple[str, str], list[str]] = {}
    for edge in graph["edges"]:
        labels.setdefault((edge["from"], edge["to"]), []).append(edge["label"])
    placed = layout.arrange([node["id"] for node in graph["nodes"]], labels)
    boxes = []
    for node in graph["nodes"]:
        layer, place = placed.places[node["id"]]
        lines = [line for line in node["lines"] if line]
        full = " \u00b7 ".join([node["title"], *lines])
        first = lines[0] if lines else ""
        boxes.append(
            Box(
                _x(place) - _WIDTH / 2,
                _top(layer),
                node["kind"],
                _cut(node["title"]),
                _cut(first),
                full,
            )
        )
    drawn = [
        Line(
            _path(placed.places[begin], placed.bends[begin, end], placed.places[end]),
            ", ".join(label for label in labels[begin, end] if label),
        )
        for begin, end in labels
    ]
    return Drawing(
        width=_x(placed.width) + _MARGIN,
        height=_top(placed.layers) - _DROP + _MARGIN,
        box_width=_WIDTH,
        box_height=_HEIGHT,
        boxes=boxes,
        lines=drawn,
    )


def _x(place: float) -> float:
    return _MARGIN + place * (_WIDTH + _GAP)


def _top(layer: int) -> float:
    return _MARGIN + layer * (_HEIGHT + _DROP)


def _path(
    begin: tuple[int, float], bends: Sequence[tuple[int, float]], end: tuple[int, float]
) -> str:
    """From the lower edge of one box, straight past the boxes between, to the upper of another."""
    x, y = _x(begin[1]), _top(begin[0]) + _HEIGHT
    parts = [f"M{x:.1f} {y:.1f}"]
    stops = [(_x(place), _top(layer), True) for layer, place in bends]
    stops.append((_x(end[1]), _top(end[0]), False))
    for next_x, next_y, passes in stops:
        middle = (y + next_y) / 2
        parts.append(f"C{x:.1f} {middle:.1f} {next_x:.1f} {middle:.1f} {next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
        if passes:
            y += _HEIGHT
            parts.append(f"V{y:.1f}")
    return "".join(parts)


def _cut(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}\u2026"
