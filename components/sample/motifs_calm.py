"""Figures of the lighter genres: animation, comedy, drama and romance.

Every motif is drawn around (x, y), about 2 `size` high, in poster widths.
"""

from __future__ import annotations

import numpy as np

from components.sample.canvas import BLACK, WHITE, Canvas, around, heart, mix, star
from components.sample.palettes import Palette


def person(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """Someone who stands alone in a long coat, sometimes with a case."""
    ink = palette.ink
    canvas.ellipse(x, y - size * 0.82, size * 0.14, ink, aspect=1.15)
    canvas.polygon(
        [
            (x - size * 0.2, y - size * 0.62),
            (x + size * 0.2, y - size * 0.62),
            (x + size * 0.3, y + size * 0.35),
            (x - size * 0.3, y + size * 0.35),
        ],
        ink,
    )
    for leg in (-0.12, 0.12):
        canvas.line(
            [(x + leg * size, y + size * 0.3), (x + leg * size, y + size)], size * 0.15, ink
        )
    if rng.random() < 0.5:
        canvas.rectangle(x + size * 0.33, y + size * 0.2, x + size * 0.7, y + size * 0.5, ink)
    canvas.polygon(
        [
            (x - size * 0.2, y + size),
            (x + size * 0.2, y + size),
            (x + size, y + size * 1.15),
            (x + size * 0.5, y + size * 1.15),
        ],
        ink,
        0.35,
    )


def umbrella(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A figure below an open umbrella."""
    person(canvas, palette, rng, x, y + size * 0.25, size * 0.75)
    top = y - size * 0.45
    dome = [around(x, top, size * 0.75, degrees, 0.7) for degrees in range(180, 361, 15)]
    canvas.polygon(dome, palette.accent)
    for share in (-0.5, 0.0, 0.5):
        canvas.ellipse(
            x + share * size, top, size * 0.25, mix(palette.accent, BLACK, 0.25), aspect=0.25
        )
    canvas.line([(x, top - size * 0.6), (x, y + size * 0.3)], size * 0.05, palette.ink)


def flock(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """Birds that pass high up."""
    for _ in range(int(rng.integers(6, 12))):
        bx, by = x + rng.normal(0, size * 0.9), y - size + rng.normal(0, size * 0.45)
        wing = size * rng.uniform(0.12, 0.24)
        wings = [(bx - wing, by - wing * 0.5), (bx, by), (bx + wing, by - wing * 0.6)]
        canvas.line(wings, size * 0.05, palette.ink)


def hearts(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """One big heart, or several small ones that rise."""
    if rng.random() < 0.5:
        canvas.polygon(heart(x, y, size * 0.95), palette.accent, 0.92)
        canvas.polygon(heart(x - size * 0.12, y - size * 0.08, size * 0.68), palette.light, 0.18)
        return
    for step in range(6):
        hx, hy = x + rng.normal(0, size * 0.6), y + size * (0.9 - step * 0.4)
        canvas.polygon(heart(hx, hy, size * rng.uniform(0.14, 0.36)), palette.accent, 0.85)


def couple(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """Two who lean towards each other."""
    ink = palette.ink
    gap = rng.uniform(0.12, 0.2)
    for side in (-1, 1):
        canvas.ellipse(x + side * size * gap, y - size * 0.72, size * 0.16, ink, aspect=1.15)
        foot = x + side * size * 0.32
        canvas.polygon(
            [
                (x + side * size * 0.03, y - size * 0.5),
                (x + side * size * 0.4, y - size * 0.45),
                (foot + size * 0.13, y + size),
                (foot - size * 0.13, y + size),
            ],
            ink,
        )
    skirt = [
        (x + size * 0.12, y - size * 0.1),
        (x + size * 0.4, y - size * 0.1),
        (x + size * 0.65, y + size * 0.65),
        (x + size * 0.05, y + size * 0.65),
    ]
    canvas.polygon(skirt, mix(ink, palette.accent, 0.6))


def rose(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A rose that loses petals."""
    green = mix(palette.ink, (60, 120, 70), 0.5)
    canvas.line([(x, y - size * 0.4), (x + size * 0.1, y + size)], size * 0.08, green)
    canvas.ellipse(x + size * 0.28, y + size * 0.3, size * 0.22, green, aspect=0.5)
    turn = rng.uniform(0, 72)
    for ring, shade in ((0.34, 0.3), (0.2, 0.12), (0.07, 0.0)):
        for petal in range(5):
            px, py = around(x, y - size * 0.5, size * ring, turn + petal * 72 + ring * 200)
            canvas.ellipse(px, py, size * (0.12 + ring * 0.55), mix(palette.accent, BLACK, shade))
    for _ in range(4):
        px, py = x + rng.normal(0, size * 0.7), y + rng.uniform(0, size)
        canvas.ellipse(px, py, size * 0.1, palette.accent, 0.8, aspect=0.6)


def grin(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A round face that laughs."""
    skin = mix((255, 214, 70), palette.accent, rng.uniform(0, 0.3))
    canvas.ellipse(x, y, size * 0.92, palette.ink)
    canvas.ellipse(x, y, size * 0.86, skin)
    for side in (-0.32, 0.32):
        canvas.ellipse(x + side * size, y - size * 0.25, size * 0.12, palette.ink, aspect=1.6)
    mouth = [around(x, y + size * 0.1, size * 0.55, degrees) for degrees in range(0, 181, 15)]
    canvas.polygon(mouth, palette.ink)
    canvas.ellipse(x, y + size * 0.5, size * 0.26, (226, 70, 80), aspect=0.5)
    canvas.rectangle(x - size * 0.42, y + size * 0.11, x + size * 0.42, y + size * 0.24, WHITE)


def disguise(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """Glasses with brows, a false nose and a moustache."""
    for side in (-1, 1):
        lens = x + side * size * 0.5
        canvas.ellipse(lens, y - size * 0.2, size * 0.42, palette.ink)
        canvas.ellipse(lens, y - size * 0.2, size * 0.32, WHITE)
        canvas.ellipse(lens + rng.uniform(-0.1, 0.1) * size, y - size * 0.15, size * 0.11, BLACK)
        brow = [
            (lens - size * 0.38, y - size * (0.72 - side * 0.06)),
            (lens + size * 0.38, y - size * (0.72 + side * 0.06)),
        ]
        canvas.line(brow, size * 0.17, palette.ink)
        canvas.ellipse(
            x + side * size * 0.34, y + size * 0.62, size * 0.38, palette.ink, aspect=0.42
        )
    canvas.ellipse(
        x, y + size * 0.2, size * 0.26, mix((246, 170, 140), palette.accent, 0.3), aspect=1.4
    )


def confetti(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A shower of paper bits, with a bow tie in its midst."""
    paints = (palette.accent, palette.light, (250, 210, 60), (70, 170, 230), (240, 90, 140))
    for _ in range(45):
        cx, cy = x + rng.normal(0, size * 1.3), y + rng.normal(0, size * 1.3)
        bit = star(cx, cy, size * 0.13, size * 0.06, 2, rng.uniform(0, 180))
        canvas.polygon(bit, paints[int(rng.integers(5))])
    for side in (-1, 1):
        wing = [
            (x, y),
            (x + side * size * 0.8, y - size * 0.45),
            (x + side * size * 0.8, y + size * 0.45),
        ]
        canvas.polygon(wing, palette.accent)
    canvas.ellipse(x, y, size * 0.2, mix(palette.accent, BLACK, 0.35))


def cat(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A creature with pointed ears and enormous eyes."""
    fur = mix(palette.accent, palette.light, rng.uniform(0, 0.35))
    for side in (-1, 1):
        ear = [
            (x + side * size * 0.75, y - size * 0.95),
            (x + side * size * 0.82, y - size * 0.1),
            (x + side * size * 0.15, y - size * 0.6),
        ]
        canvas.polygon(ear, fur)
    canvas.ellipse(x, y + size * 0.1, size * 0.88, fur, aspect=0.9)
    look = rng.uniform(-0.09, 0.09)
    for side in (-0.34, 0.34):
        eye = x + side * size
        canvas.ellipse(eye, y, size * 0.3, WHITE, aspect=1.15)
        canvas.ellipse(eye + look * size, y + size * 0.04, size * 0.16, BLACK, aspect=1.2)
        canvas.ellipse(eye + (look - 0.05) * size, y - size * 0.05, size * 0.06, WHITE)
    canvas.ellipse(x, y + size * 0.4, size * 0.09, palette.ink, aspect=0.7)
    canvas.ring(x, y + size * 0.42, size * 0.26, size * 0.06, palette.ink, turn=(20, 160))


def balloons(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A bunch of balloons."""
    paints = (palette.accent, (255, 205, 60), (90, 200, 120), (80, 150, 245), (250, 120, 180))
    for number in range(6):
        bx, by = x + size * (number % 3 - 1) * 0.62, y - size * (0.75 - 0.5 * (number // 3))
        bx, by = bx + rng.normal(0, size * 0.1), by + rng.normal(0, size * 0.1)
        canvas.line([(bx, by), (x, y + size)], size * 0.025, palette.ink)
        canvas.ellipse(bx, by, size * 0.33, paints[int(rng.integers(5))], aspect=1.2)
        canvas.ellipse(bx - size * 0.11, by - size * 0.15, size * 0.07, WHITE, 0.8)


def fish(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, y: float, size: float
) -> None:
    """A striped fish with bubbles."""
    side = 1 if rng.random() < 0.5 else -1
    tail = [
        (x - side * size * 0.6, y),
        (x - side * size * 1.15, y - size * 0.5),
        (x - side * size * 1.15, y + size * 0.5),
    ]
    canvas.polygon(tail, mix(palette.accent, palette.ink, 0.25))
    canvas.ellipse(x, y, size * 0.82, palette.accent, aspect=0.68)
    for stripe in (-0.35, -0.05):
        canvas.ellipse(x + side * stripe * size, y, size * 0.09, WHITE, aspect=5)
    canvas.ellipse(x + side * size * 0.42, y - size * 0.12, size * 0.18, WHITE)
    canvas.ellipse(x + side * size * 0.46, y - size * 0.1, size * 0.1, BLACK)
    for bubble in range(4):
        bx, by = x + side * size * rng.uniform(0.9, 1.2), y - size * (0.3 + bubble * 0.35)
        canvas.ring(bx, by, size * 0.09, size * 0.03, WHITE)
