"""A small drawing surface: shapes in fractions of the poster's width, drawn at twice its size."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

Color = tuple[int, int, int]
Point = tuple[float, float]

#: Size of a finished poster in pixels, the size of the thumbnails that film catalogues serve.
WIDTH, HEIGHT = 182, 268
#: Height of a poster in the canvas's unit, which is the poster's width.
BOTTOM = HEIGHT / WIDTH
#: Shapes have no smooth edges when drawn; halving the drawing gives them some.
SUPERSAMPLING = 2

WHITE: Color = (255, 255, 255)
BLACK: Color = (0, 0, 0)


def mix(first: Color, second: Color, share: float) -> Color:
    """The color `share` (0 to 1) of the way from `first` to `second`."""
    return tuple(int(a + (b - a) * share + 0.5) for a, b in zip(first, second, strict=True))  # type: ignore[return-value]


class Canvas:
    """An RGB image of a poster; (0, 0) is the top left corner and (1, `BOTTOM`) the other end."""

    def __init__(self) -> None:
        self._unit = WIDTH * SUPERSAMPLING
        self.image = Image.new("RGB", (self._unit, HEIGHT * SUPERSAMPLING))
        self._pen = ImageDraw.Draw(self.image, "RGBA")

    def pixels(self, length: float) -> int:
        """`length`, in poster widths, in pixels of `image`."""
        return round(length * self._unit)

    def sky(self, colors: Sequence[Color], top: float = 0.0, bottom: float = BOTTOM) -> None:
        """Fills the band from `top` to `bottom` with a gradient downwards through `colors`."""
        rows = max(self.pixels(bottom) - self.pixels(top), 1)
        place = np.linspace(0, len(colors) - 1, rows)
        stops = np.arange(len(colors))
        channels = [np.interp(place, stops, [color[c] for color in colors]) for c in range(3)]
        column = np.stack(channels, axis=-1)[:, None, :].astype(np.uint8)
        band = Image.fromarray(column).resize((self._unit, rows), Image.Resampling.NEAREST)
        self.image.paste(band, (0, self.pixels(top)))

    def polygon(self, points: Sequence[Point], color: Color, alpha: float = 1.0) -> None:
        """Fills a polygon; `alpha` from 0 (unseen) to 1 (opaque)."""
        self._pen.polygon([self._at(point) for point in points], fill=_ink(color, alpha))

    def rectangle(
        self, left: float, top: float, right: float, bottom: float, color: Color, alpha: float = 1.0
    ) -> None:
        """Fills an upright rectangle."""
        box = (*self._at((left, top)), *self._at((max(left, right), max(top, bottom))))
        self._pen.rectangle(box, fill=_ink(color, alpha))

    def ellipse(
        self,
        x: float,
        y: float,
        radius: float,
        color: Color,
        alpha: float = 1.0,
        aspect: float = 1.0,
    ) -> None:
        """Fills an ellipse `radius` wide to each side and `radius * aspect` high."""
        self._pen.ellipse(self._box(x, y, radius, aspect), fill=_ink(color, alpha))

    def ring(
        self,
        x: float,
        y: float,
        radius: float,
        width: float,
        color: Color,
        alpha: float = 1.0,
        aspect: float = 1.0,
        turn: tuple[float, float] = (0, 360),
    ) -> None:
        """Draws the outline of an ellipse; `turn` holds its first and last degree, clockwise."""
        box, thickness = self._box(x, y, radius, aspect), max(self.pixels(width), 1)
        self._pen.arc(box, *turn, fill=_ink(color, alpha), width=thickness)

    def line(self, points: Sequence[Point], width: float, color: Color, alpha: float = 1.0) -> None:
        """Draws a line through `points`."""
        thickness = max(self.pixels(width), 1)
        path = [self._at(point) for point in points]
        self._pen.line(path, fill=_ink(color, alpha), width=thickness, joint="curve")

    def glow(self, x: float, y: float, radius: float, color: Color, strength: float = 1.0) -> None:
        """Adds soft light that fades from (x, y) to nothing at `radius`."""
        size = 2 * max(self.pixels(radius), 1)
        glow = _glow_mask(min(round(strength * 20), 20))
        mask = glow.resize((size, size), Image.Resampling.BILINEAR)
        corner = (self.pixels(x) - size // 2, self.pixels(y) - size // 2)
        self.image.paste(color, (*corner, corner[0] + size, corner[1] + size), mask)

    def stencil(
        self, mask: Image.Image, left: float, top: float, color: Color, alpha: float = 1.0
    ) -> None:
        """Paints `color` through `mask`, an 8 bit image whose pixels are those of `image`."""
        if alpha < 1:
            mask = mask.point([int(value * alpha) for value in range(256)])
        self.image.paste(color, (self.pixels(left), self.pixels(top)), mask)

    def vignette(self, strength: float, color: Color = BLACK) -> None:
        """Darkens towards the corners, by at most `strength` (0 to 1)."""
        mask = _vignette_mask(round(strength * 20), *self.image.size)
        self.image.paste(color, (0, 0, *self.image.size), mask)

    def finished(self) -> Image.Image:
        """The poster at its final size."""
        return self.image.reduce(SUPERSAMPLING)

    def _at(self, point: Point) -> tuple[float, float]:
        return point[0] * self._unit, point[1] * self._unit

    def _box(self, x: float, y: float, radius: float, aspect: float) -> tuple[float, ...]:
        high = radius * aspect
        return *self._at((x - radius, y - high)), *self._at((x + radius, y + high))


def around(x: float, y: float, radius: float, degrees: float, aspect: float = 1.0) -> Point:
    """The point `radius` from (x, y) at `degrees` clockwise from the right."""
    angle = math.radians(degrees)
    return x + radius * math.cos(angle), y + radius * aspect * math.sin(angle)


def star(
    x: float, y: float, outer: float, inner: float, tips: int, turn: float = -90
) -> list[Point]:
    """The corners of a star with `tips` tips, the first of them at `turn` degrees."""
    step = 180 / tips
    return [around(x, y, inner if i % 2 else outer, turn + i * step) for i in range(2 * tips)]


def heart(x: float, y: float, size: float) -> list[Point]:
    """The outline of a heart about 2 `size` wide around (x, y)."""
    points = []
    for step in range(28):
        t = 2 * math.pi * step / 28
        up = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((x + size * math.sin(t) ** 3, y - size * up / 16))
    return points


def skyline(
    rng: np.random.Generator, ground: float, low: float, high: float
) -> list[tuple[float, float, float]]:
    """Houses side by side as (left, right, top), `low` to `high` above `ground`."""
    houses, left = [], -0.03
    while left < 1:
        right = left + float(rng.uniform(0.06, 0.15))
        houses.append((left, right, ground - float(rng.uniform(low, high))))
        left = right
    return houses


def _ink(color: Color, alpha: float) -> tuple[int, int, int, int]:
    return (*color, round(255 * alpha))


@functools.lru_cache(maxsize=32)
def _glow_mask(twentieths: int) -> Image.Image:
    """A round glow of 128 x 128 pixels with a smooth fall-off, `twentieths` / 20 strong."""
    distance = Image.radial_gradient("L").reduce(2)
    # Pillow's gradient is 0 in the middle, 181 at the middle of each side and 255 in the corners.
    near = [max(1 - value / 180, 0.0) for value in range(256)]
    return distance.point([int(255 * share * share * twentieths / 20) for share in near])


@functools.lru_cache(maxsize=32)
def _vignette_mask(twentieths: int, width: int, height: int) -> Image.Image:
    """A mask that is clear in the middle and `twentieths` / 20 strong in the corners."""
    table = [int(max(value - 90, 0) / 165 * twentieths / 20 * 255) for value in range(256)]
    return Image.radial_gradient("L").point(table).resize((width, height))
