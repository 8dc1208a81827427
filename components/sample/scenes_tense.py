"""Backdrops of the darker genres: action, horror, science fiction and thriller."""

from __future__ import annotations

import numpy as np

from components.sample.canvas import BLACK, BOTTOM, Canvas, around, mix, skyline, star
from components.sample.palettes import Palette


def explosion(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A fireball with flying shards."""
    canvas.sky([palette.top, mix(palette.top, palette.bottom, 0.6)])
    x, y = rng.uniform(0.3, 0.7), rng.uniform(0.7, 0.95)
    canvas.glow(x, y, 0.95, palette.bottom, 1.0)
    for color, outer in ((palette.bottom, 0.58), (palette.accent, 0.42), (palette.light, 0.25)):
        tips = int(rng.integers(9, 14))
        corners = [
            around(x, y, float(np.hypot(px - x, py - y) * rng.uniform(0.7, 1.25)), i * 180 / tips)
            for i, (px, py) in enumerate(star(x, y, outer, outer * 0.6, tips))
        ]
        canvas.polygon(corners, color, 0.85)
    for _ in range(16):
        shard(canvas, palette, rng, x, y)
    canvas.sky([palette.ink, BLACK], top=1.28)


def shard(canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float) -> None:
    """A splinter flying away from (x, y)."""
    degrees, near = rng.uniform(0, 360), rng.uniform(0.3, 0.7)
    tail = around(x, y, near, degrees)
    wide = around(x, y, near + 0.06, degrees + 5)
    canvas.polygon([tail, wide, around(x, y, near + rng.uniform(0.08, 0.2), degrees)], palette.ink)


def speed_streaks(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Diagonal slashes of light and dark."""
    canvas.sky([palette.top, palette.bottom])
    slope = rng.uniform(0.5, 1.1) * (1 if rng.random() < 0.5 else -1)
    paints = (palette.ink, palette.accent, palette.light, palette.bottom, palette.ink)
    for _ in range(18):
        y, width = rng.uniform(-0.9, 2.2), rng.uniform(0.01, 0.12)
        left, right = rng.uniform(-0.3, 0.4), rng.uniform(0.6, 1.3)
        start, end = (left, y - left * slope), (right, y - right * slope)
        tip = (end[0], end[1] + width * 0.2)
        paint = paints[int(rng.integers(5))]
        canvas.polygon([start, end, tip, (start[0], start[1] + width)], paint, 0.7)


def burning_city(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A skyline before flames and smoke."""
    canvas.sky([palette.top, mix(palette.top, palette.bottom, 0.5), palette.bottom])
    for _ in range(7):
        x, y, size = rng.uniform(0, 1), rng.uniform(0.2, 0.8), rng.uniform(0.1, 0.22)
        canvas.ellipse(x, y, size, palette.ink, 0.25)
    for _ in range(5):
        canvas.glow(rng.uniform(0, 1), rng.uniform(0.95, 1.15), 0.35, palette.accent, 0.9)
    for left, right, top in skyline(rng, 1.3, 0.12, 0.5):
        canvas.polygon(
            [(left, BOTTOM), (left, top + rng.uniform(0, 0.06)), (right, top), (right, BOTTOM)],
            palette.ink,
        )
    for _ in range(30):
        x, y = rng.uniform(0, 1), rng.uniform(0.4, 1.3)
        canvas.ellipse(x, y, 0.006, palette.accent)


def haunted_house(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A crooked house on a hill before a great moon."""
    canvas.sky([palette.top, palette.bottom])
    x = rng.uniform(0.35, 0.65)
    canvas.glow(x + 0.1, 0.62, 0.6, palette.light, 0.5)
    canvas.ellipse(x + 0.1, 0.62, rng.uniform(0.22, 0.3), palette.light)
    canvas.ellipse(x, BOTTOM + 0.1, 0.75, palette.ink, aspect=0.6)
    for dx, width, top in ((-0.17, 0.13, 0.87), (0.0, 0.17, 0.75), (0.18, 0.11, 0.83)):
        left, right = x + dx - width / 2, x + dx + width / 2
        canvas.rectangle(left, top, right, 1.2, palette.ink)
        peak = (x + dx + rng.uniform(-0.03, 0.03), top - 0.17)
        canvas.polygon([(left - 0.02, top), peak, (right + 0.02, top)], palette.ink)
        if rng.random() < 0.8:
            canvas.rectangle(x + dx - 0.02, top + 0.06, x + dx + 0.02, top + 0.13, palette.accent)
    for _ in range(4):
        fog_bank(canvas, palette, rng, rng.uniform(1.1, 1.4))


def fog_bank(canvas: Canvas, palette: Palette, rng: np.random.Generator, y: float) -> None:
    """A flat bank of fog across the poster at height y."""
    canvas.ellipse(rng.uniform(0, 1), y, rng.uniform(0.4, 0.7), palette.light, 0.09, aspect=0.12)


def dark_forest(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Bare trunks in fog, and something that looks out."""
    canvas.sky([palette.top, palette.bottom, palette.ink])
    canvas.glow(0.5, 0.85, 0.65, mix(palette.bottom, palette.light, 0.5), 0.9)
    for share in (0.35, 0.65, 1.0):
        color = mix(palette.bottom, palette.ink, share)
        for _ in range(4):
            x, width = rng.uniform(0, 1), rng.uniform(0.012, 0.05) * (0.5 + share)
            lean = rng.uniform(-0.06, 0.06)
            canvas.polygon(
                [
                    (x - width, BOTTOM),
                    (x + lean - width / 3, 0),
                    (x + lean + width / 3, 0),
                    (x + width, BOTTOM),
                ],
                color,
            )
            y, reach = rng.uniform(0.2, 0.9), rng.uniform(-0.22, 0.22)
            canvas.line([(x, y + 0.15), (x + reach, y), (x + reach * 1.3, y - 0.1)], 0.01, color)
        fog_bank(canvas, palette, rng, rng.uniform(0.8, 1.3))
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(0.15, 0.85), rng.uniform(0.7, 1.1)
        for side in (-0.022, 0.022):
            canvas.ellipse(x + side, y, 0.011, palette.accent, aspect=0.7)


def graveyard(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Leaning gravestones in fog under a thin moon."""
    canvas.sky([palette.top, mix(palette.top, palette.bottom, 0.5), palette.bottom])
    moon = rng.uniform(0.25, 0.75)
    canvas.ellipse(moon, 0.42, 0.14, palette.light)
    canvas.ellipse(moon + 0.06, 0.39, 0.125, mix(palette.top, palette.bottom, 0.25))
    canvas.ellipse(0.5, BOTTOM + 0.1, 0.9, palette.ink, aspect=0.35)
    for x in (0.12, 0.33, 0.6, 0.85):
        x, y, size = x + rng.uniform(-0.06, 0.06), rng.uniform(1.15, 1.3), rng.uniform(0.06, 0.1)
        lean = rng.uniform(-0.05, 0.05)
        if rng.random() < 0.4:
            canvas.line([(x, y + 0.1), (x + lean, y - 0.26)], 0.032, palette.ink)
            bar = y - 0.17
            canvas.line([(x + lean - 0.07, bar), (x + lean + 0.07, bar)], 0.03, palette.ink)
            continue
        corners = [(x - size, y + 0.1), (x - size + lean, y - 0.1), (x + size + lean, y - 0.1)]
        canvas.polygon([*corners, (x + size, y + 0.1)], palette.ink)
        canvas.ellipse(x + lean, y - 0.1, size, palette.ink)
    for _ in range(5):
        fog_bank(canvas, palette, rng, rng.uniform(1.0, 1.35))


def stars(canvas: Canvas, palette: Palette, rng: np.random.Generator, count: int) -> None:
    """Scatters stars over the whole poster."""
    for x, y, size in zip(rng.random(count), rng.random(count), rng.random(count), strict=True):
        canvas.ellipse(x, y * BOTTOM, 0.002 + 0.005 * size * size, palette.light, 0.9)


def great_planet(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A huge planet, lit from one side, often with a ring."""
    canvas.sky([palette.top, palette.top, palette.bottom])
    stars(canvas, palette, rng, 60)
    x, y, size = rng.uniform(0.1, 0.9), rng.uniform(0.65, 1.1), rng.uniform(0.28, 0.46)
    canvas.glow(x, y, size * 1.6, palette.accent, 0.6)
    color = mix(palette.bottom, palette.light, 0.35)
    canvas.ellipse(x, y, size, color)
    for band in (-0.5, -0.2, 0.15, 0.45):
        half = size * (1 - band * band) ** 0.5 * 0.97
        y_band = y + band * size
        canvas.line([(x - half, y_band), (x + half, y_band)], size * 0.09, palette.accent, 0.25)
    canvas.ellipse(x + size * 0.2, y + size * 0.1, size * 0.88, palette.top, 0.45)
    if rng.random() < 0.6:
        canvas.ring(x, y, size * 1.6, 0.02, palette.light, 0.8, aspect=0.22)
        canvas.ring(x, y, size * 1.42, 0.03, palette.accent, 0.6, aspect=0.22)


def neon_grid(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A glowing grid that runs to the horizon, below a sliced sun."""
    horizon, x = rng.uniform(0.85, 1.0), rng.uniform(0.35, 0.65)
    canvas.sky([palette.top, palette.bottom], bottom=horizon)
    stars(canvas, palette, rng, 25)
    size = rng.uniform(0.2, 0.3)
    canvas.glow(x, horizon - 0.12, size * 2, palette.accent, 0.7)
    canvas.ellipse(x, horizon - 0.12, size, mix(palette.accent, palette.light, 0.35))
    for slit in range(5):
        y = horizon - 0.02 - slit * 0.05
        canvas.rectangle(0, y, 1, y + 0.018 - slit * 0.003, palette.bottom, 0.8)
    canvas.sky([palette.ink, palette.top], top=horizon)
    for lane in range(-9, 10):
        canvas.line([(x + lane * 0.05, horizon), (x + lane * 0.32, BOTTOM)], 0.006, palette.accent)
    for row in range(1, 8):
        y = horizon + (BOTTOM - horizon) * (row / 7.5) ** 2
        canvas.line([(0, y), (1, y)], 0.006, palette.accent, 0.9)


def star_tunnel(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Stars that streak past, out of one bright point."""
    canvas.sky([palette.top, palette.bottom, palette.top])
    x, y = rng.uniform(0.35, 0.65), rng.uniform(0.55, 0.95)
    for _ in range(3):
        cloud_x, cloud_y = rng.uniform(0, 1), rng.uniform(0.2, 1.3)
        canvas.glow(cloud_x, cloud_y, rng.uniform(0.3, 0.5), palette.bottom, 0.8)
    for _ in range(70):
        degrees, near = rng.uniform(0, 360), rng.uniform(0.12, 0.9)
        ends = [around(x, y, near, degrees), around(x, y, near * rng.uniform(1.1, 1.4), degrees)]
        canvas.line(ends, 0.006, palette.light, 0.8)
    canvas.glow(x, y, 0.3, palette.light, 1.0)


def city_in_rain(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A city at night, a few windows lit, mirrored in a wet street."""
    canvas.sky([palette.top, palette.bottom])
    for share, low, high in ((0.5, 0.3, 0.75), (0.9, 0.1, 0.5)):
        color = mix(palette.bottom, palette.ink, share)
        for left, right, top in skyline(rng, 1.22, low, high):
            canvas.rectangle(left, top, right, 1.22, color)
            for y in np.arange(top + 0.03, 1.18, 0.05):
                if rng.random() < 0.3:
                    x = rng.uniform(left + 0.01, right - 0.03)
                    canvas.rectangle(x, y, x + 0.018, y + 0.022, palette.accent, 0.85)
    canvas.sky([mix(palette.bottom, palette.ink, 0.7), palette.ink], top=1.22)
    for _ in range(8):
        x = rng.uniform(0, 1)
        canvas.line([(x, 1.23), (x, rng.uniform(1.3, 1.45))], 0.014, palette.accent, 0.35)


def corridor(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A passage that narrows to a lit doorway where someone stands."""
    canvas.sky([palette.ink, palette.ink])
    x, y = rng.uniform(0.38, 0.62), rng.uniform(0.7, 0.9)
    steps = 7
    for step in range(steps):
        share = step / (steps - 1)
        half, rise = 0.75 * (1 - share) + 0.1, 1.1 * (1 - share) + 0.2
        color = mix(palette.ink, palette.bottom, share if step % 2 else share * 0.6)
        canvas.rectangle(x - half, y - rise, x + half, y + rise, color)
    canvas.glow(x, y, 0.5, palette.light, 0.6)
    canvas.rectangle(x - 0.09, y - 0.2, x + 0.09, y + 0.2, palette.light)
    canvas.polygon(
        [(x - 0.09, y + 0.2), (x + 0.09, y + 0.2), (x + 0.28, BOTTOM), (x - 0.28, BOTTOM)],
        palette.light,
        0.35,
    )
    canvas.ellipse(x, y - 0.03, 0.022, palette.ink)
    canvas.polygon(
        [(x - 0.03, y), (x + 0.03, y), (x + 0.022, y + 0.2), (x - 0.022, y + 0.2)], palette.ink
    )


def blinds(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Light through a blind, on a wall and on a face in profile."""
    canvas.sky([mix(palette.top, palette.ink, 0.3), palette.ink])
    slope, left = rng.uniform(-0.25, 0.25), rng.uniform(-0.1, 0.3)
    for y in np.arange(0.15, 1.3, 0.115):
        corners = [(left, y), (1.0, y + slope), (1.0, y + slope + 0.06), (left, y + 0.05)]
        canvas.polygon(corners, palette.light, 0.55)
    x, size = rng.uniform(0.3, 0.5), rng.uniform(0.85, 1.1)
    profile = (
        (-0.12, -0.3),
        (0.05, -0.32),
        (0.14, -0.22),
        (0.14, -0.12),
        (0.2, 0.0),
        (0.15, 0.02),
        (0.17, 0.07),
        (0.13, 0.1),
        (0.14, 0.15),
        (0.05, 0.18),
        (0.06, 0.27),
        (0.3, 0.36),
        (0.36, 0.8),
        (-0.5, 0.8),
        (-0.42, 0.38),
        (-0.14, 0.26),
        (-0.24, -0.02),
        (-0.22, -0.22),
    )
    canvas.polygon([(x + dx * size, 0.78 + dy * size) for dx, dy in profile], palette.ink)
