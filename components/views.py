"""The views of an image: which square of it a model sees, and whether it is mirrored.

A model's features may be averaged over several views. A view is a geometry, which is cut out and
stored, and a mirroring or none, which is done wherever stored images are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

#: `squished` is the whole image, pressed into a square. The others are the largest square that
#: fits: `top` and `bottom` of an upright image, which are the left and the right of a wide one.
Geometry = Literal["squished", "top", "middle", "bottom"]
ViewName = Literal[
    "squished", "squished_mirrored", "top", "top_mirrored",
    "middle", "middle_mirrored", "bottom", "bottom_mirrored",
]  # fmt: skip
GEOMETRIES: tuple[Geometry, ...] = get_args(Geometry)
VIEWS: tuple[ViewName, ...] = get_args(ViewName)
_MIRRORED = "_mirrored"


def geometry(view: str) -> Geometry:
    """The geometry of a view: `top_mirrored` -> `top`."""
    return view.removesuffix(_MIRRORED)


def is_mirrored(view: str) -> bool:
    """Whether left and right are exchanged."""
    return view.endswith(_MIRRORED)


def geometries(views: Sequence[str]) -> tuple[Geometry, ...]:
    """The geometries that views need, each once, in the order of `GEOMETRIES`.

    The order of the views is of no account, so that another order has nothing made anew.
    """
    needed = {geometry(view) for view in views}
    return tuple(name for name in GEOMETRIES if name in needed)
