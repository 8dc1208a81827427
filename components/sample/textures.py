"""What lies over a whole poster: paper, rain, scratches, scan lines, grain."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops

from components.sample.canvas import BLACK, BOTTOM, WHITE, Canvas, mix
from components.sample.palettes import Palette


def embers(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Sparks that fly up, and a hot edge."""
    canvas.glow(rng.uniform(0, 1), BOTTOM, 0.6, palette.accent, 0.6)
    for _ in range(40):
        x, y, size = rng.uniform(0, 1), rng.uniform(0, BOTTOM), rng.uniform(0.002, 0.008)
        canvas.line([(x, y), (x + size * 2, y - size * 5)], size * 1.4, (255, 190, 90), 0.8)


def white_frame(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A thick bright frame."""
    width, color = rng.uniform(0.03, 0.05), palette.light
    for box in (
        (0, 0, 1, width),
        (0, BOTTOM - width, 1, BOTTOM),
        (0, 0, width, BOTTOM),
        (1 - width, 0, 1, BOTTOM),
    ):
        canvas.rectangle(*box, color)
    canvas.line(
        [
            (width, width),
            (1 - width, width),
            (1 - width, BOTTOM - width),
            (width, BOTTOM - width),
            (width, width),
        ],
        0.01,
        palette.accent,
    )


def halftone(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Printer's dots that shrink away from one edge."""
    from_top, step = rng.random() < 0.5, 0.055
    color = mix(palette.accent, palette.ink, rng.uniform(0, 0.5))
    for row in range(11):
        y = row * step if from_top else BOTTOM - row * step
        for x in np.arange(step / 2 * (row % 2), 1.02, step):
            canvas.ellipse(x, y, step * 0.5 * (1 - row / 11), color, 0.5)


def worn_paper(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Creases and a thin line around, on yellowed paper."""
    canvas.rectangle(0, 0, 1, BOTTOM, (222, 190, 140), 0.16)
    for y in (BOTTOM / 3, BOTTOM * 2 / 3):
        canvas.line([(0, y), (1, y + rng.uniform(-0.01, 0.01))], 0.005, WHITE, 0.25)
    canvas.line(
        [
            (0.035, 0.035),
            (0.965, 0.035),
            (0.965, BOTTOM - 0.035),
            (0.035, BOTTOM - 0.035),
            (0.035, 0.035),
        ],
        0.007,
        palette.light,
        0.8,
    )
    canvas.vignette(0.35)


def scratched_dark(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Deep dark corners, and the scratches of an old print."""
    canvas.vignette(0.95)
    for _ in range(9):
        x, top = rng.uniform(0, 1), rng.uniform(-0.3, 1.2)
        ends = [(x, top), (x + rng.uniform(-0.02, 0.02), top + rng.uniform(0.2, 0.9))]
        canvas.line(ends, 0.003, palette.light, 0.35)


def bloom(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Warm light that floods in from a corner, and floating petals."""
    corner = 0.0 if rng.random() < 0.5 else 1.0
    canvas.glow(corner, rng.uniform(0, 0.4), 1.0, (255, 226, 200), 0.75)
    canvas.vignette(0.4, mix(palette.accent, WHITE, 0.55))
    for _ in range(12):
        x, y = rng.uniform(0, 1), rng.uniform(0, BOTTOM)
        canvas.ellipse(x, y, rng.uniform(0.008, 0.02), mix(palette.accent, WHITE, 0.35), 0.7, 0.6)


def scan_lines(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """The lines of a screen, and a flare across it."""
    for y in np.arange(0, BOTTOM, 0.022):
        canvas.rectangle(0, y, 1, y + 0.006, BLACK, 0.22)
    x, y = rng.uniform(0.2, 0.8), rng.uniform(0.3, 1.1)
    canvas.line([(0, y), (1, y)], 0.006, palette.accent, 0.6)
    canvas.glow(x, y, 0.22, palette.light, 0.85)


def rain(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Slanting rain and a cold dark edge."""
    canvas.vignette(0.65, mix(palette.ink, (20, 30, 44), 0.5))
    slant = rng.uniform(-0.06, 0.06)
    for x, y in zip(rng.uniform(-0.1, 1.1, 55), rng.uniform(-0.1, BOTTOM, 55), strict=True):
        canvas.line([(x, y), (x + slant, y + 0.13)], 0.003, palette.light, 0.4)


def with_grain(image: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
    """`image` with grey noise of about `strength` of 255 levels."""
    # The sum of two bytes is bell-like enough, and exact on every processor.
    values = np.frombuffer(rng.bytes(2 * image.width * image.height), np.uint8).astype(np.uint16)
    first, second = values.reshape(2, image.height, image.width)
    span = round(strength * 2.5)
    noise = Image.fromarray(((first + second) * span >> 8).astype(np.uint8))
    return ImageChops.add(image, Image.merge("RGB", (noise, noise, noise)), 1, -span)
