"""Titles and credits, lettered in the manner of each genre with Pillow's own font."""

from __future__ import annotations

import dataclasses
import functools
import unicodedata

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageStat

from components.sample.canvas import BLACK, BOTTOM, WHITE, Canvas, Color, mix
from components.sample.palettes import Palette

_GLYPH_PIXELS = 56
# What turns a blurred mask into a rim and into a halo.
_FIRM = [min(value * 5, 255) for value in range(256)]
_SOFT = [min(value * 2, 255) for value in range(256)]
_LINE_GAP = 0.014
_NOT_DECOMPOSED = str.maketrans({"Ø": "O", "Æ": "AE", "ß": "SS", "Ð": "D", "Þ": "TH"})


@dataclasses.dataclass(frozen=True)
class LetterStyle:
    """How a title is set.

    Attributes:
      weight: thickness added to each stroke, in hundredths of the glyph height.
      tracking: space added between letters, in hundredths of the glyph height.
      narrow: width over natural width.
      slant: shift of the top over the height, to the right.
      bounce: how far letters jump up and down, in hundredths of the glyph height.
      paint: the palette's color for the letters.
      outline: whether letters have a contrasting rim.
      effect: "", "glow", "drips", "slits" or "rules".
      place: "top", "middle" or "bottom".
    """

    weight: float
    tracking: float
    narrow: float
    slant: float
    bounce: float
    paint: str
    outline: bool
    effect: str
    place: str


_STYLES = {
    "Action": (
        LetterStyle(9, 2, 0.75, 0.28, 0, "accent", True, "slits", "bottom"),
        LetterStyle(10, 0, 0.6, 0.0, 0, "light", False, "rules", "bottom"),
    ),
    "Animation": (
        LetterStyle(12, 10, 1.0, 0.0, 14, "light", True, "", "top"),
        LetterStyle(10, 8, 0.9, -0.12, 20, "accent", True, "", "top"),
    ),
    "Comedy": (
        LetterStyle(8, 4, 0.9, 0.0, 16, "accent", False, "", "top"),
        LetterStyle(10, 2, 0.8, 0.15, 6, "ink", False, "rules", "middle"),
    ),
    "Drama": (
        LetterStyle(0, 38, 0.9, 0.0, 0, "light", False, "rules", "bottom"),
        LetterStyle(1, 22, 1.0, 0.0, 0, "ink", False, "", "top"),
    ),
    "Horror": (
        LetterStyle(7, 4, 0.65, 0.0, 8, "accent", False, "drips", "middle"),
        LetterStyle(4, 8, 0.55, 0.0, 12, "light", False, "drips", "bottom"),
    ),
    "Romance": (
        LetterStyle(1, 8, 0.85, 0.35, 0, "light", False, "", "bottom"),
        LetterStyle(2, 14, 0.95, 0.25, 4, "accent", False, "", "middle"),
    ),
    "Sci-Fi": (
        LetterStyle(2, 30, 1.25, 0.0, 0, "light", False, "glow", "top"),
        LetterStyle(5, 18, 1.15, 0.0, 0, "accent", False, "slits", "bottom"),
    ),
    "Thriller": (
        LetterStyle(3, 10, 0.5, 0.0, 0, "light", False, "slits", "middle"),
        LetterStyle(6, 4, 0.55, 0.0, 0, "accent", False, "", "bottom"),
    ),
}

_CREDITS = (
    "A HOLLOW LANTERN PICTURE  IN ASSOCIATION WITH TIN ROOF FILMS",
    "CASTING BY R. VALE  COSTUMES BY INES MOREAU  MUSIC BY T. LINDQVIST",
    "EDITED BY SAM OKORO  PRODUCTION DESIGN HANNA WEISS  SOUND J. PETRI",
    "DIRECTOR OF PHOTOGRAPHY ADA FERRANTE  WRITTEN BY MILO GRANT",
    "PRODUCED BY L. SANTOS AND K. BERG  DIRECTED BY NORA QUILL",
)
_CAST = (
    "EDITH VALMONT     OSKAR HELLER",
    "PILAR DUARTE    J. R. TENNANT",
    "VIGGO LUND  AND  ZOE ASHBY",
    "LEONIE CRANE    SAMIR HADDAD",
    "WILHELMINA ROOK",
)


def draw_style(genre: str, rng: np.random.Generator) -> LetterStyle:
    """One of the genre's styles; one title in four moves to another place."""
    styles = _STYLES[genre]
    style = styles[int(rng.integers(len(styles)))]
    if rng.random() < 0.25:
        return dataclasses.replace(style, place=("top", "middle", "bottom")[int(rng.integers(3))])
    return style


def letter_title(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, title: str, style: LetterStyle
) -> None:
    """Letters `title` in capitals, on one to three lines, where `style` places it."""
    lines = [_line_mask(line, style, rng) for line in _lines(_capitals(title))]
    limit = canvas.pixels(0.9)
    tallest = canvas.pixels(0.16)
    fitted = []
    for line in lines:
        scale = min(limit / line.width, tallest / line.height)
        size = (max(round(line.width * scale), 1), max(round(line.height * scale), 1))
        fitted.append(line.resize(size, Image.Resampling.BILINEAR))
    height = sum(line.height for line in fitted) / canvas.pixels(1) + _LINE_GAP * (len(fitted) - 1)
    top = {"top": 0.1, "middle": (BOTTOM - height) / 2, "bottom": 1.285 - height}[style.place]
    paint = _readable(canvas, palette, style, top, height)
    for line in fitted:
        _paint_line(canvas, palette, line, top, paint, style)
        top += line.height / canvas.pixels(1) + _LINE_GAP
    top -= _LINE_GAP
    if style.effect == "rules":
        for y in (top - height - 0.025, top + 0.025):
            canvas.line([(0.12, y), (0.88, y)], 0.008, paint)


def letter_credits(canvas: Canvas, color: Color, variant: int, cast_on_top: bool) -> None:
    """Sets the small print at the bottom, and the leading names at the top."""
    for number in range(3):
        text = _CREDITS[(variant + number) % len(_CREDITS)]
        mask = _small_print(text, canvas.pixels(0.84), canvas.pixels(0.028))
        canvas.stencil(mask, 0.08, 1.352 + number * 0.037, color, 0.75)
    if cast_on_top:
        mask = _small_print(_CAST[variant], canvas.pixels(0.64), canvas.pixels(0.033))
        canvas.stencil(mask, 0.18, 0.055, color, 0.85)


def _capitals(title: str) -> str:
    """`title` in the capitals that the font has: it knows no accents."""
    letters = unicodedata.normalize("NFKD", title.upper().translate(_NOT_DECOMPOSED))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _lines(title: str) -> list[str]:
    """Breaks a title into lines of about equal length."""
    words = title.split()
    count = 1 if len(title) < 11 else 2 if len(title) < 20 else 3
    lines, aim = [words[0]], len(title) / count
    for word in words[1:]:
        if len(lines) < count and len(lines[-1]) + len(word) / 2 >= aim:
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return lines


def _line_mask(text: str, style: LetterStyle, rng: np.random.Generator) -> Image.Image:
    """`text` as an 8 bit mask, cut to its ink."""
    font, em = _font(), _GLYPH_PIXELS
    stroke = round(style.weight * em / 100)
    space = style.tracking * em / 100 + stroke * 1.6
    width = sum(font.getlength(letter) + space for letter in text)
    mask = Image.new("L", (int(width) + 2 * em, 2 * em))
    x = 0.0
    for letter in text:
        jump = rng.uniform(-1, 1) * style.bounce * em / 100
        glyph = _glyph(letter, stroke)
        mask.paste(255, (round(x), round(jump)), glyph)
        x += font.getlength(letter) + space
    if style.effect == "drips":
        _add_drips(mask, rng)
    if style.effect == "slits":
        cut = round(em * rng.uniform(0.8, 1.05))
        mask.paste(0, (0, cut, mask.width, cut + 3))
    if style.slant:
        shear = (1, style.slant, -style.slant * em, 0, 1, 0)
        mask = mask.transform(mask.size, Image.Transform.AFFINE, shear, Image.Resampling.BILINEAR)
    mask = mask.crop(mask.getbbox() or (0, 0, 1, 1))
    return mask.resize((max(int(mask.width * style.narrow), 1), mask.height))


def _add_drips(mask: Image.Image, rng: np.random.Generator) -> None:
    """Lets ink run down from the foot of the letters."""
    inked = np.asarray(mask) > 128
    columns = np.flatnonzero(inked.any(axis=0))
    pen = ImageDraw.Draw(mask)
    for column in columns[rng.integers(0, len(columns), len(columns) // 22 + 2)].tolist():
        foot = int(np.flatnonzero(inked[:, column])[-1])
        end, half = foot + int(rng.integers(8, 30)), int(rng.integers(1, 4))
        pen.rectangle((column - half, foot - 4, column + half, end), fill=255)
        pen.ellipse((column - half - 1, end - 4, column + half + 1, end + 5), fill=255)


def _readable(
    canvas: Canvas, palette: Palette, style: LetterStyle, top: float, height: float
) -> Color:
    """The style's paint, or the palette's most contrasting one where that would not stand out."""
    box = (
        canvas.pixels(0.06),
        canvas.pixels(top),
        canvas.pixels(0.94),
        canvas.pixels(top + height),
    )
    behind = ImageStat.Stat(canvas.image.crop(box).reduce(4)).mean
    choices = [getattr(palette, style.paint), palette.light, palette.accent, palette.ink]
    if style.outline or _contrast(choices[0], behind) > 90:
        return choices[0]
    return max(choices[1:], key=lambda color: _contrast(color, behind))


def _contrast(color: Color, other: list[float]) -> float:
    weights = (0.35, 0.45, 0.2)
    return sum(w * abs(a - b) for w, a, b in zip(weights, color, other, strict=True))


def _paint_line(
    canvas: Canvas,
    palette: Palette,
    mask: Image.Image,
    top: float,
    paint: Color,
    style: LetterStyle,
) -> None:
    """Paints one line of a title, centred, with the style's shadow, glow or rim."""
    left = 0.5 - mask.width / canvas.pixels(2)
    dark = sum(paint) < 330
    margin = 12
    wide = Image.new("L", (mask.width + 2 * margin, mask.height + 2 * margin))
    wide.paste(mask, (margin, margin))
    offset = margin / canvas.pixels(1)
    if style.outline:
        rim = wide.filter(ImageFilter.BoxBlur(4)).point(_FIRM)
        color = WHITE if dark else mix(palette.ink, BLACK, 0.3)
        canvas.stencil(rim, left - offset, top - offset, color)
    elif style.effect == "glow":
        halo = wide.filter(ImageFilter.BoxBlur(6))
        halo = ImageChops.add(halo, halo)
        canvas.stencil(halo, left - offset, top - offset, palette.accent, 0.9)
    else:
        # A halo keeps letters legible where they cross something of their own tone.
        halo = wide.filter(ImageFilter.BoxBlur(5)).point(_SOFT)
        canvas.stencil(halo, left - offset, top - offset, palette.light if dark else BLACK, 0.5)
    canvas.stencil(mask, left, top, paint)


@functools.lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(_GLYPH_PIXELS)


@functools.lru_cache(maxsize=1024)
def _glyph(letter: str, stroke: int) -> Image.Image:
    """One letter as a mask of two by two glyph heights, half a glyph height from its left."""
    mask = Image.new("L", (2 * _GLYPH_PIXELS, 2 * _GLYPH_PIXELS))
    at = (_GLYPH_PIXELS // 2, round(_GLYPH_PIXELS * 0.4))
    ImageDraw.Draw(mask).text(at, letter, 255, _font(), stroke_width=stroke)
    return mask


@functools.lru_cache(maxsize=64)
def _small_print(text: str, width: int, height: int) -> Image.Image:
    """A line of small print as a mask of `width` x `height` pixels."""
    font = _font()
    mask = Image.new("L", (int(font.getlength(text)) + 4, _GLYPH_PIXELS + 8))
    ImageDraw.Draw(mask).text((2, 0), text, 255, font, stroke_width=1)
    return mask.crop(mask.getbbox()).resize((width, height), Image.Resampling.BOX)
