"""Places the boxes of a graph in layers, so that every arrow leads down.

The method of Sugiyama, Tagawa and Toda (1981): a box lies below all that leads to it, an arrow over
several layers gets a bend in each, and each layer is ordered by the mean place of its neighbours.
"""

from __future__ import annotations

import dataclasses
import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence

#: What a bend takes, in boxes.
_BEND = 0.2
#: Sweeps down and up; more change nothing in graphs of this size.
_SWEEPS = 8


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where everything lies.

    Attributes:
      places: by a box's name, its layer from 0, and where its middle is in that, counted in boxes.
      bends: by arrow, the layers it passes between its ends, from above, and where.
      layers: how many there are.
      width: of the widest layer, counted in boxes.
    """

    places: Mapping[str, tuple[int, float]]
    bends: Mapping[tuple[str, str], Sequence[tuple[int, float]]]
    layers: int
    width: float


def arrange(names: Sequence[str], arrows: Iterable[tuple[str, str]]) -> Layout:
    """Places boxes.

    Args:
      names: the boxes', each once.
      arrows: from one box to another; no way may lead round in a circle.

    Raises:
      ValueError: one does.
    """
    arrows = sorted(set(arrows))
    layer_of = _layers(names, arrows)
    chains = {
        (begin, end): [
            begin,
            *(f"{begin}\0{end}\0{layer}" for layer in range(layer_of[begin] + 1, layer_of[end])),
            end,
        ]
        for begin, end in arrows
    }
    count = max(layer_of.values(), default=-1) + 1
    layers: list[list[str]] = [[] for _ in range(count)]
    for name in names:
        layers[layer_of[name]].append(name)
    for (begin, _), chain in chains.items():
        for place, bend in enumerate(chain[1:-1], start=layer_of[begin] + 1):
            layers[place].append(bend)
    steps = [pair for chain in chains.values() for pair in itertools.pairwise(chain)]
    _order(layers, steps)
    boxes = set(names)
    widths = [[1.0 if name in boxes else _BEND for name in layer] for layer in layers]
    widest = max(map(sum, widths), default=0.0)
    middle = {
        name: (widest - sum(sizes)) / 2 + end - size / 2
        for layer, sizes in zip(layers, widths, strict=True)
        for name, size, end in zip(layer, sizes, itertools.accumulate(sizes), strict=True)
    }
    return Layout(
        places={name: (layer_of[name], middle[name]) for name in names},
        bends={
            (begin, end): [
                (layer_of[begin] + step, middle[bend])
                for step, bend in enumerate(chain[1:-1], start=1)
            ]
            for (begin, end), chain in chains.items()
        },
        layers=count,
        width=widest,
    )


def _layers(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The longest way to each box, in arrows."""
    before: dict[str, list[str]] = {name: [] for name in names}
    for begin, end in arrows:
        before[end].append(begin)
    layer_of: dict[str, int] = {}
    left = list(names)
    while left:
        ready = [name for name in left if all(other in layer_of for other in before[name])]
        if not ready:
            raise ValueError(f"the arrows between {', '.join(sorted(left))} lead round in a circle")
        for name in ready:
            layer_of[name] = max((layer_of[other] + 1 for other in before[name]), default=0)
        left = [name for name in left if name not in layer_of]
    return layer_of


def _order(layers: list[list[str]], steps: Sequence[tuple[str, str]]) -> None:
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for begin, end in steps:
        below.setdefault(begin, []).append(end)
        above.setdefault(end, []).append(begin)
    for sweep in range(_SWEEPS):
        if sweep % 2 == 0:
            for upper, lower in itertools.pairwise(layers):
                _sort(lower, upper, above)
        else:
            for lower, upper in itertools.pairwise(reversed(layers)):
                _sort(upper, lower, below)


def _sort(layer: list[str], fixed: Sequence[str], neighbours: Mapping[str, list[str]]) -> None:
    """Orders a layer by the mean place of each one's neighbours, both counted from the middle."""
    place = {name: at - (len(fixed) - 1) / 2 for at, name in enumerate(fixed)}
    own = {name: at - (len(layer) - 1) / 2 for at, name in enumerate(layer)}

    def mean(name: str) -> float:
        near = [place[other] for other in neighbours.get(name, ()) if other in place]
        return statistics.fmean(near) if near else own[name]

    layer.sort(key=mean)
