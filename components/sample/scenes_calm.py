"""Backdrops of the lighter genres: animation, comedy, drama and romance."""

from __future__ import annotations

import math

import numpy as np

from components.sample.canvas import BOTTOM, WHITE, Canvas, around, mix
from components.sample.palettes import Palette


def rolling_hills(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Hills under fat clouds, dotted with flowers."""
    canvas.sky([palette.top, palette.bottom])
    for _ in range(4):
        cloud(canvas, rng.uniform(0, 1), rng.uniform(0.1, 0.6), rng.uniform(0.06, 0.13))
    for share, height in ((0.35, 0.55), (0.65, 0.38), (0.95, 0.22)):
        color = mix(palette.bottom, palette.ink, share)
        x = float(rng.uniform(0, 1))
        canvas.ellipse(x, BOTTOM, 0.85, color, aspect=height / 0.85)
        canvas.ellipse(x - 0.8, BOTTOM, 0.6, color, aspect=height / 0.75)
        canvas.ellipse(x + 0.8, BOTTOM, 0.6, color, aspect=height / 0.7)
    for _ in range(14):
        x, y = rng.uniform(0, 1), rng.uniform(1.27, 1.45)
        canvas.ellipse(x, y, 0.012, palette.accent)
        canvas.ellipse(x, y, 0.005, palette.light)


def cloud(canvas: Canvas, x: float, y: float, size: float) -> None:
    """A cloud of four circles, about 3 `size` wide."""
    for dx, dy, scale in ((-0.8, 0.15, 0.65), (0, -0.2, 1.0), (0.85, 0.1, 0.75), (0.2, 0.25, 0.8)):
        canvas.ellipse(x + dx * size, y + dy * size, scale * size, WHITE, 0.85)


def rainbow(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A rainbow between clouds."""
    canvas.sky([palette.top, mix(palette.top, palette.light, 0.7)])
    x, y = rng.uniform(0.3, 0.7), rng.uniform(1.0, 1.2)
    stripes = (palette.accent, (255, 160, 50), (255, 225, 70), (90, 205, 110), (80, 140, 240))
    for band, color in enumerate(stripes):
        canvas.ring(x, y, 0.62 - 0.06 * band, 0.065, color, 0.9, turn=(180, 360))
    for side in (-0.5, 0.5):
        cloud(canvas, x + side, y, 0.15)
    canvas.sky([palette.bottom, palette.ink], top=y + 0.05)


def crooked_village(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Leaning houses in many colors under a starry sky."""
    canvas.sky([mix(palette.top, palette.ink, 0.4), palette.bottom])
    for _ in range(22):
        canvas.ellipse(rng.uniform(0, 1), rng.uniform(0, 0.8), 0.008, palette.light, 0.9)
    paints = (palette.accent, palette.light, palette.top, palette.bottom, palette.ink)
    for left in np.arange(-0.08, 1.0, 0.19):
        lean, top = rng.uniform(-0.05, 0.05), rng.uniform(0.75, 1.05)
        right = left + 0.19
        wall = mix(paints[int(rng.integers(5))], palette.light, 0.15)
        roof = mix(paints[int(rng.integers(5))], palette.ink, 0.45)
        walls = [(left, BOTTOM), (left + lean, top), (right + lean, top), (right, BOTTOM)]
        canvas.polygon(walls, wall)
        peak = (left + lean * 2 + 0.095, top - 0.2)
        canvas.polygon([(left + lean - 0.02, top), peak, (right + lean + 0.02, top)], roof)
        for row in (0.08, 0.2):
            canvas.ellipse(left + lean + 0.095, top + row, 0.03, (255, 240, 150), aspect=1.3)


def sunburst(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Rays from one point, in two colors."""
    canvas.sky([palette.top, palette.top])
    x, y, rays = rng.uniform(0.3, 0.7), rng.uniform(0.6, 1.0), int(rng.integers(9, 16))
    turn = rng.uniform(0, 40)
    for ray in range(rays):
        start = turn + 360 * ray / rays
        wedge = [(x, y), around(x, y, 2, start), around(x, y, 2, start + 180 / rays)]
        canvas.polygon(wedge, palette.bottom)
    canvas.ellipse(x, y, rng.uniform(0.22, 0.34), palette.accent)


def curtains(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A stage between curtains, with a spotlight on its floor."""
    canvas.sky([palette.top, mix(palette.top, palette.light, 0.6)])
    spot = rng.uniform(0.35, 0.65)
    canvas.polygon([(0.5, -0.1), (spot - 0.27, 1.2), (spot + 0.27, 1.2)], palette.light, 0.4)
    canvas.sky([palette.bottom, mix(palette.bottom, palette.ink, 0.5)], top=1.12)
    canvas.ellipse(spot, 1.22, 0.28, palette.light, 0.75, aspect=0.25)
    for fold in range(5):
        shade = mix(palette.accent, palette.ink, 0.12 + 0.3 * (fold % 2))
        width = 0.055 * (5 - fold)
        for edge, sign in ((0.0, 1), (1.0, -1)):
            far = edge + sign * width * 1.15
            canvas.polygon(
                [(edge, 0), (far, 0), (edge + sign * width * 0.7, 1.2), (edge, 1.2)], shade
            )
    for scallop in np.arange(0.0, 1.1, 0.125):
        canvas.ellipse(scallop, 0.0, 0.085, mix(palette.accent, palette.ink, 0.2), aspect=1.3)


def colour_blocks(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Broad tilted stripes, or tiles, of flat color."""
    canvas.sky([palette.light, palette.light])
    paints = (palette.top, palette.accent, palette.bottom, palette.light)
    if rng.random() < 0.5:
        tilt, step = rng.uniform(-0.4, 0.4), rng.uniform(0.2, 0.32)
        for number, y in enumerate(np.arange(-0.4, BOTTOM + 0.4, step)):
            corners = [(0, y), (1, y + tilt), (1, y + tilt + step), (0, y + step)]
            canvas.polygon(corners, paints[number % 3])
        return
    side = 1 / int(rng.integers(2, 4))
    for row in range(math.ceil(BOTTOM / side)):
        for column in range(round(1 / side)):
            paint = paints[int(rng.integers(4))]
            left, top = column * side, row * side
            canvas.rectangle(left, top, left + side, top + side, paint)
            dot = paints[int(rng.integers(4))]
            canvas.ellipse(left + side / 2, top + side / 2, side * 0.32, dot)


def lone_horizon(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A wide empty land under a pale sun."""
    ground = rng.uniform(0.95, 1.2)
    canvas.sky([palette.top, palette.bottom, palette.light], bottom=ground + 0.02)
    canvas.glow(rng.uniform(0.15, 0.85), ground - 0.15, 0.6, palette.light, 0.8)
    for share, lift in ((0.35, 0.12), (0.6, 0.05)):
        peaks = [(x, ground - rng.uniform(0, lift)) for x in np.linspace(0, 1, 7)]
        canvas.polygon([(0, ground), *peaks, (1, ground)], mix(palette.bottom, palette.ink, share))
    canvas.sky([mix(palette.bottom, palette.ink, 0.5), palette.ink], top=ground)


def bare_tree(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A leafless tree on a low hill."""
    canvas.sky([palette.top, palette.bottom])
    canvas.glow(0.5, 0.7, 0.75, palette.light, 0.6)
    x = rng.uniform(0.25, 0.75)
    branch(canvas, palette, rng, (x, 1.25), -90 + rng.uniform(-8, 8), 0.27, 6)
    canvas.ellipse(x, BOTTOM + 0.15, 1.0, palette.ink, aspect=0.4)


def branch(
    canvas: Canvas,
    palette: Palette,
    rng: np.random.Generator,
    root: tuple[float, float],
    degrees: float,
    length: float,
    forks: int,
) -> None:
    """Draws a branch and what grows out of it, `forks` times over."""
    tip = around(*root, length, degrees)
    canvas.line([root, tip], 0.007 * forks, palette.ink)
    if forks > 1:
        for side in (-1, 1):
            turn = degrees + side * rng.uniform(12, 38)
            branch(canvas, palette, rng, tip, turn, length * rng.uniform(0.6, 0.85), forks - 1)


def lit_window(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A dim room with light falling in through a window."""
    wall = mix(palette.top, palette.ink, 0.55)
    canvas.sky([wall, mix(wall, palette.bottom, 0.3)])
    left, top = rng.uniform(0.2, 0.45), rng.uniform(0.28, 0.45)
    right, bottom = left + 0.36, top + 0.5
    canvas.glow((left + right) / 2, (top + bottom) / 2, 0.65, palette.light, 0.6)
    canvas.sky([mix(wall, palette.ink, 0.5), palette.ink], top=1.18)
    floor = [(left + 0.02, 1.2), (right - 0.02, 1.2), (right + 0.2, BOTTOM), (left + 0.1, BOTTOM)]
    canvas.polygon(floor, palette.light, 0.3)
    canvas.rectangle(left, top, right, bottom, mix(palette.light, palette.bottom, 0.25))
    for x in (left, (left + right) / 2, right):
        canvas.line([(x, top), (x, bottom)], 0.016, palette.ink)
    for y in (top, (top + bottom) / 2, bottom):
        canvas.line([(left, y), (right, y)], 0.016, palette.ink)


def sunset_sea(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A low sun and its track on the water."""
    shore, x = rng.uniform(0.85, 1.05), rng.uniform(0.3, 0.7)
    canvas.sky([palette.top, mix(palette.top, palette.bottom, 0.6), palette.bottom], bottom=shore)
    canvas.glow(x, shore, 0.75, palette.light, 0.7)
    canvas.ellipse(x, shore - 0.05, rng.uniform(0.16, 0.24), palette.light, 0.95)
    canvas.sky([mix(palette.bottom, palette.ink, 0.25), palette.ink], top=shore)
    for number in range(14):
        y, half = shore + 0.02 + 0.032 * number, rng.uniform(0.05, 0.16) * (1 + number / 16)
        canvas.line([(x - half, y), (x + half, y)], 0.009, palette.light, 0.75 - number * 0.04)


def arched_bridge(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A stone bridge with lamps over still water at dusk."""
    water = rng.uniform(1.1, 1.2)
    canvas.sky([palette.top, palette.bottom])
    canvas.sky([mix(palette.bottom, palette.ink, 0.3), mix(palette.top, palette.ink, 0.6)], water)
    deck = water - 0.22
    canvas.polygon(
        [(0, water), (0, deck + 0.08), (0.5, deck), (1, deck + 0.08), (1, water)], palette.ink
    )
    for x in (0.18, 0.5, 0.82):
        canvas.ellipse(x, water, 0.115, mix(palette.bottom, palette.ink, 0.15))
        canvas.rectangle(x - 0.12, water, x + 0.12, water + 0.12, palette.bottom, 0.15)
    for x in (0.05, 0.34, 0.66, 0.95):
        canvas.line([(x, deck + 0.05), (x, deck - 0.17)], 0.01, palette.ink)
        canvas.glow(x, deck - 0.18, 0.15, palette.light, 1.0)
        canvas.line([(x, water + 0.04), (x, water + 0.2)], 0.02, palette.light, 0.3)


def soft_lights(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Out-of-focus lights."""
    canvas.sky([palette.top, palette.bottom])
    for _ in range(26):
        x, y, size = rng.uniform(0, 1), rng.uniform(0, BOTTOM), rng.uniform(0.03, 0.12)
        color = mix(palette.light, palette.accent, rng.uniform(0, 1))
        canvas.ellipse(x, y, size, color, 0.22)
        canvas.ring(x, y, size, 0.006, color, 0.3)
    canvas.glow(0.5, 0.75, 0.7, palette.light, 0.5)
