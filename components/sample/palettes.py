"""The colors of each genre, and how they vary from poster to poster."""

from __future__ import annotations

import colorsys
import dataclasses

import numpy as np

from components.sample.canvas import Color


@dataclasses.dataclass(frozen=True)
class Palette:
    """The five colors of a poster.

    Attributes:
      top: the backdrop at the top.
      bottom: the backdrop at the bottom.
      ink: silhouettes.
      accent: what the eye should go to.
      light: moons, lamps and lettering.
    """

    top: Color
    bottom: Color
    ink: Color
    accent: Color
    light: Color


# Five hexadecimal colors each, in the order of Palette's attributes.
_COLORS = {
    "Action": (
        "0e2a33 e8742a 0a0f12 ffb02e fff0d0",
        "3a0d08 f2a33c 140604 ff4a1c ffe9b0",
        "20323a c9b08a 11181b e0472b f5f0e6",
    ),
    "Animation": (
        "38b6f0 c8f2a0 2a6b3c ff5c8a fffbe0",
        "7a4fd0 ffb3d9 3a2a78 ffd23f ffffff",
        "18b8a8 fff08a 0e5a6a ff7a3c ffffff",
    ),
    "Comedy": (
        "ffd83a ffb01f 2b2b2b e8352e ffffff",
        "fff4dc ffe1a8 303848 ff5a36 2a9fd8",
        "4cc3e8 eafaff 24324a ffcf24 ffffff",
    ),
    "Drama": (
        "c9b79a 7d6a54 2a221c a8462f f4ead8",
        "8fa0a8 dcd3c4 2b3136 b07a3c f7f3ea",
        "4a4038 b89a72 171310 d9a860 f0e4cc",
    ),
    "Horror": (
        "0a0a0c 3d0c0c 000000 b80f12 d8d0c0",
        "10160f 4c5a34 050705 9cc23a e0e6c8",
        "14101c 4a4250 040306 d01828 e8e4ea",
    ),
    "Romance": (
        "f7b7a8 ffe3cf 7a2f45 e0385f fff6ee",
        "5c3a6e ff9a8a 2c1830 ff5d7a ffe6d0",
        "fbd3dc f58fa5 6a2440 c8174a ffffff",
    ),
    "Sci-Fi": (
        "060a24 2a3f8f 030512 3ff0e0 d8f4ff",
        "0c0420 7a1fa0 05020e ff3fd0 c0f0ff",
        "02161c 0f7a86 010a0d 9cff5a e6fffa",
    ),
    "Thriller": (
        "0d1824 4a6478 05090d d8c23a e2eaf0",
        "16181a 6a7074 060607 c8281e f0f0ec",
        "0a1f22 2f5a58 040b0c e8932a dfeae4",
    ),
}


def draw_palette(genre: str, rng: np.random.Generator) -> Palette:
    """A palette of `genre`, its hue, saturation and brightness a little off."""
    palettes = _COLORS[genre]
    words = palettes[int(rng.integers(len(palettes)))].split()
    hue = float(rng.normal(0, 0.025))
    saturation, value = float(rng.uniform(0.75, 1.1)), float(rng.uniform(0.85, 1.12))
    return Palette(*(_shifted(word, hue, saturation, value) for word in words))


def _shifted(hexadecimal: str, hue: float, saturation: float, value: float) -> Color:
    channels = (int(hexadecimal[at : at + 2], 16) / 255 for at in (0, 2, 4))
    h, s, v = colorsys.rgb_to_hsv(*channels)
    red, green, blue = colorsys.hsv_to_rgb(
        (h + hue) % 1.0, min(s * saturation, 1.0), min(v * value, 1.0)
    )
    return round(red * 255), round(green * 255), round(blue * 255)
