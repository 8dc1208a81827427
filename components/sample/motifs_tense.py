"""Figures of the darker genres: action, horror, science fiction and thriller.

Every motif is drawn around (x, y), about 2 `size` high, in poster widths.
"""

from __future__ import annotations

import numpy as np

from components.sample.canvas import BLACK, WHITE, Canvas, around, mix, star
from components.sample.palettes import Palette


def helicopter(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A helicopter with a searchlight."""
    side, ink = 1 if rng.random() < 0.5 else -1, palette.ink
    nose = (x + side * size * 0.3, y + size * 0.1)
    canvas.polygon(
        [
            nose,
            (nose[0] + side * size * 1.2, y + size * 1.5),
            (nose[0] + side * size * 0.3, y + size * 1.7),
        ],
        palette.light,
        0.4,
    )
    canvas.ellipse(x, y, size * 0.55, ink, aspect=0.55)
    canvas.line([(x, y - size * 0.08), (x - side * size * 1.25, y - size * 0.2)], size * 0.12, ink)
    canvas.line(
        [(x - side * size * 1.25, y - size * 0.45), (x - side * size * 1.25, y)], size * 0.07, ink
    )
    canvas.line([(x, y), (x, y - size * 0.5)], size * 0.08, ink)
    canvas.line(
        [(x - size * 1.05, y - size * 0.5), (x + size * 1.05, y - size * 0.46)], size * 0.06, ink
    )
    canvas.line(
        [(x - size * 0.5, y + size * 0.45), (x + size * 0.55, y + size * 0.45)], size * 0.06, ink
    )
    canvas.ellipse(x + side * size * 0.3, y - size * 0.05, size * 0.17, palette.accent, aspect=0.8)


def runner(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """Someone who runs, with lines of speed behind."""
    side = 1 if rng.random() < 0.5 else -1

    def limb(*points: tuple[float, float], width: float = 0.16) -> None:
        path = [(x + side * dx * size, y + dy * size) for dx, dy in points]
        canvas.line(path, width * size, palette.ink)

    for lag in (-0.5, -0.1, 0.35):
        limb((-1.5, lag), (-0.65, lag), width=0.05)
    limb((0.22, -0.5), (-0.08, 0.15), width=0.34)
    limb((-0.06, 0.1), (0.42, 0.35), (0.3, 0.9), (0.5, 0.92))
    limb((-0.1, 0.1), (-0.38, 0.5), (-0.9, 0.55))
    limb((0.2, -0.48), (0.55, -0.12), (0.85, -0.35), width=0.13)
    limb((0.15, -0.48), (-0.3, -0.3), (-0.42, 0.05), width=0.13)
    canvas.ellipse(x + side * size * 0.36, y - size * 0.8, size * 0.17, palette.ink)


def blast(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A jagged burst of three colors."""
    turn = rng.uniform(0, 40)
    for scale, color in ((1.15, palette.accent), (0.8, (255, 196, 60)), (0.45, WHITE)):
        corners = star(x, y, size * scale, size * scale * 0.55, 11, turn)
        canvas.polygon(corners, color, 0.92)
    for _ in range(7):
        degrees = rng.uniform(0, 360)
        ends = [around(x, y, size * 1.1, degrees), around(x, y, size * 1.6, degrees)]
        canvas.line(ends, size * 0.06, palette.ink)


def bats(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A swarm of bats."""
    wing = (
        (0, -0.12),
        (0.3, -0.35),
        (1.0, -0.45),
        (0.8, 0.0),
        (0.55, -0.1),
        (0.42, 0.2),
        (0.2, 0.05),
        (0, 0.3),
    )
    for number in range(int(rng.integers(4, 8))):
        spread = size * (0.5 if number else 0.9)
        bx, by = x + rng.normal(0, size), y + rng.normal(0, size * 0.7)
        if number == 0:
            bx, by = x, y
        right = [(bx + dx * spread, by + dy * spread) for dx, dy in wing]
        left = [(bx - dx * spread, by + dy * spread) for dx, dy in reversed(wing)]
        canvas.polygon(right + left, palette.ink)


def skull(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A skull."""
    bone = mix(palette.light, palette.bottom, rng.uniform(0, 0.3))
    canvas.ellipse(x, y - size * 0.2, size * 0.78, bone, aspect=0.95)
    canvas.rectangle(x - size * 0.42, y + size * 0.3, x + size * 0.42, y + size * 0.85, bone)
    for side in (-0.33, 0.33):
        canvas.ellipse(x + side * size, y - size * 0.12, size * 0.24, BLACK, aspect=1.1)
        canvas.ellipse(x + side * size, y - size * 0.08, size * 0.06, palette.accent)
    canvas.polygon(
        [
            (x, y + size * 0.12),
            (x - size * 0.12, y + size * 0.38),
            (x + size * 0.12, y + size * 0.38),
        ],
        BLACK,
    )
    for tooth in (-0.26, -0.09, 0.09, 0.26):
        canvas.line(
            [(x + tooth * size, y + size * 0.55), (x + tooth * size, y + size * 0.85)],
            size * 0.05,
            BLACK,
        )


def claw_marks(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """Four long wounds across the poster."""
    slant = rng.uniform(-0.6, 0.6) * size
    for claw in (-0.75, -0.25, 0.25, 0.75):
        cx, reach = x + claw * size * 0.9, size * (1.25 - abs(claw) * 0.4)
        width = size * rng.uniform(0.08, 0.15)
        mark = [(cx + slant, y - reach), (cx + width, y), (cx - slant, y + reach), (cx - width, y)]
        canvas.polygon(mark, palette.accent)
        drop = y + rng.uniform(0.1, 0.9) * size
        canvas.line([(cx, y), (cx, drop + size * 0.3)], size * 0.05, palette.accent)


def saucer(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A flying saucer and its beam."""
    y -= size * 0.5
    canvas.polygon(
        [
            (x - size * 0.3, y),
            (x + size * 0.3, y),
            (x + size * 0.85, y + size * 1.8),
            (x - size * 0.85, y + size * 1.8),
        ],
        palette.accent,
        0.35,
    )
    canvas.ellipse(x, y - size * 0.18, size * 0.42, palette.light, 0.9, aspect=0.9)
    canvas.ellipse(x, y, size * 1.05, mix(palette.ink, palette.bottom, 0.5), aspect=0.26)
    canvas.ellipse(
        x, y - size * 0.05, size * 0.9, mix(palette.bottom, palette.light, 0.45), aspect=0.18
    )
    for lamp in (-0.6, -0.2, 0.2, 0.6):
        canvas.ellipse(x + lamp * size, y + size * 0.08, size * 0.07, palette.accent)


def rocket(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A rocket on its flame."""
    hull = mix(palette.light, palette.bottom, 0.15)
    flicker = rng.uniform(0.5, 0.9)
    canvas.glow(x, y + size * 0.9, size * 0.7, palette.accent, 0.9)
    canvas.polygon(
        [
            (x - size * 0.2, y + size * 0.5),
            (x + size * 0.2, y + size * 0.5),
            (x, y + size * (0.6 + flicker)),
        ],
        (255, 190, 70),
    )
    for side in (-1, 1):
        fin = [
            (x + side * size * 0.2, y),
            (x + side * size * 0.6, y + size * 0.65),
            (x + side * size * 0.2, y + size * 0.5),
        ]
        canvas.polygon(fin, palette.accent)
    canvas.ellipse(x, y - size * 0.25, size * 0.3, hull, aspect=2.7)
    canvas.rectangle(x - size * 0.24, y + size * 0.3, x + size * 0.24, y + size * 0.55, palette.ink)
    canvas.ellipse(x, y - size * 0.4, size * 0.14, palette.ink)


def robot(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """The head of a robot."""
    steel = mix(palette.bottom, palette.light, rng.uniform(0.3, 0.55))
    canvas.line([(x, y - size * 0.6), (x, y - size)], size * 0.07, steel)
    canvas.ellipse(x, y - size, size * 0.11, palette.accent)
    canvas.rectangle(x - size * 0.7, y - size * 0.62, x + size * 0.7, y + size * 0.6, steel)
    for side in (-1, 1):
        canvas.ellipse(x + side * size * 0.33, y - size * 0.2, size * 0.2, palette.ink)
        canvas.glow(x + side * size * 0.33, y - size * 0.2, size * 0.4, palette.accent, 1.0)
        canvas.rectangle(
            x + side * size * 0.78 - size * 0.08,
            y - size * 0.25,
            x + side * size * 0.78 + size * 0.08,
            y + size * 0.2,
            palette.ink,
        )
    for slot in (-0.36, -0.12, 0.12, 0.36):
        canvas.rectangle(
            x + (slot - 0.07) * size,
            y + size * 0.22,
            x + (slot + 0.07) * size,
            y + size * 0.42,
            palette.ink,
        )
    canvas.rectangle(x - size * 0.3, y + size * 0.6, x + size * 0.3, y + size, palette.ink)


def watching_eye(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """One wide eye."""
    upper = [around(x, y + size * 0.55, size * 1.25, d) for d in range(207, 334, 9)]
    lower = [around(x, y - size * 0.55, size * 1.25, d) for d in range(27, 154, 9)]
    canvas.polygon(upper + lower, mix(palette.light, palette.bottom, 0.1))
    iris, look = size * 0.48, rng.uniform(-0.25, 0.25) * size
    canvas.ellipse(x + look, y, iris, palette.accent)
    canvas.ellipse(x + look, y, iris * 0.55, BLACK)
    canvas.ellipse(x + look - iris * 0.3, y - iris * 0.3, iris * 0.16, WHITE)
    canvas.line(upper, size * 0.09, palette.ink)
    canvas.line(lower, size * 0.05, palette.ink)


def crosshair(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A sight, trained on someone small."""
    canvas.ellipse(x, y - size * 0.16, size * 0.09, palette.ink)
    canvas.polygon(
        [
            (x - size * 0.13, y - size * 0.05),
            (x + size * 0.13, y - size * 0.05),
            (x + size * 0.08, y + size * 0.4),
            (x - size * 0.08, y + size * 0.4),
        ],
        palette.ink,
    )
    for radius in (0.9, 0.55):
        canvas.ring(x, y, size * radius, size * 0.06, palette.accent)
    turn = rng.uniform(-6, 6)
    for degrees in (0, 90, 180, 270):
        ends = [around(x, y, size * 0.4, degrees + turn), around(x, y, size * 1.2, degrees + turn)]
        canvas.line(ends, size * 0.05, palette.accent)


def knife(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A knife, point down."""
    lean = rng.uniform(-0.5, 0.5)

    def at(dx: float, dy: float) -> tuple[float, float]:
        return x + (dx - lean * dy) * size, y + dy * size

    canvas.polygon(
        [at(-0.15, -0.25), at(0.15, -0.25), at(0.15, 0.55), at(-0.12, 1.15)],
        mix(palette.light, palette.bottom, 0.2),
    )
    canvas.polygon([at(0.02, -0.25), at(0.15, -0.25), at(0.15, 0.55), at(-0.12, 1.15)], WHITE, 0.5)
    canvas.line([at(-0.32, -0.28), at(0.32, -0.28)], size * 0.11, palette.ink)
    canvas.line([at(0, -0.3), at(0, -1.0)], size * 0.2, palette.ink)
    canvas.ellipse(*at(-0.1, 1.3), size * 0.09, palette.accent, aspect=1.5)
