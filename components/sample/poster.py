"""One poster: which cues it gives of its film's genres, and the drawing of them in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from components.sample import motifs_calm, motifs_tense, scenes_calm, scenes_tense, textures
from components.sample.canvas import BLACK, Canvas, mix
from components.sample.genres import GENRES, draw_genres
from components.sample.lettering import draw_style, letter_credits, letter_title
from components.sample.palettes import Palette, draw_palette

Scene = Callable[[Canvas, Palette, np.random.Generator], None]
Motif = Callable[[Canvas, Palette, np.random.Generator, float, float, float], None]

_SCENES: dict[str, tuple[Scene, ...]] = {
    "Action": (scenes_tense.explosion, scenes_tense.speed_streaks, scenes_tense.burning_city),
    "Animation": (scenes_calm.rolling_hills, scenes_calm.rainbow, scenes_calm.crooked_village),
    "Comedy": (scenes_calm.sunburst, scenes_calm.curtains, scenes_calm.colour_blocks),
    "Drama": (scenes_calm.lone_horizon, scenes_calm.bare_tree, scenes_calm.lit_window),
    "Horror": (scenes_tense.haunted_house, scenes_tense.dark_forest, scenes_tense.graveyard),
    "Romance": (scenes_calm.sunset_sea, scenes_calm.arched_bridge, scenes_calm.soft_lights),
    "Sci-Fi": (scenes_tense.great_planet, scenes_tense.neon_grid, scenes_tense.star_tunnel),
    "Thriller": (scenes_tense.city_in_rain, scenes_tense.corridor, scenes_tense.blinds),
}
_MOTIFS: dict[str, tuple[Motif, ...]] = {
    "Action": (motifs_tense.helicopter, motifs_tense.runner, motifs_tense.blast),
    "Animation": (motifs_calm.cat, motifs_calm.balloons, motifs_calm.fish),
    "Comedy": (motifs_calm.grin, motifs_calm.disguise, motifs_calm.confetti),
    "Drama": (motifs_calm.person, motifs_calm.umbrella, motifs_calm.flock),
    "Horror": (motifs_tense.bats, motifs_tense.skull, motifs_tense.claw_marks),
    "Romance": (motifs_calm.hearts, motifs_calm.couple, motifs_calm.rose),
    "Sci-Fi": (motifs_tense.saucer, motifs_tense.rocket, motifs_tense.robot),
    "Thriller": (motifs_tense.watching_eye, motifs_tense.crosshair, motifs_tense.knife),
}
_TEXTURES: dict[str, Scene] = {
    "Action": textures.embers,
    "Animation": textures.white_frame,
    "Comedy": textures.halftone,
    "Drama": textures.worn_paper,
    "Horror": textures.scratched_dark,
    "Romance": textures.bloom,
    "Sci-Fi": textures.scan_lines,
    "Thriller": textures.rain,
}
_GRAIN = {"Horror": 15.0, "Thriller": 11.0, "Drama": 9.0, "Action": 8.0}
_FINE_GRAIN = 4.0


@dataclasses.dataclass(frozen=True)
class Cues:
    """Which genre each part of a poster speaks of; "" where a part is left out."""

    palette: str
    scene: str
    motif: str
    lettering: str
    texture: str


# How often a poster sells another film than the one it is for.
_MISLEADING = 0.04
# How often a part speaks of one of the film's own genres. Otherwise it misleads: it speaks of any
# genre, or is left out where it can be. Together they set how well a model can do on the sample.
_FAITHFUL = {
    "palette": 0.74,
    "scene": 0.7,
    "motif": 0.7,
    "lettering": 0.66,
    "texture": 0.62,
}
_LEFT_OUT = {"motif": 0.45, "texture": 0.5}


def draw_cues(genres: Sequence[str], rng: np.random.Generator) -> Cues:
    """Chooses what each part of the poster of a film with `genres` speaks of."""
    if rng.random() < _MISLEADING:
        genres = draw_genres(rng)
    chosen = {}
    for part, faithful in _FAITHFUL.items():
        if rng.random() < faithful:
            chosen[part] = genres[int(rng.integers(len(genres)))]
        elif rng.random() < _LEFT_OUT.get(part, 0.0):
            chosen[part] = ""
        else:
            chosen[part] = GENRES[int(rng.integers(len(GENRES)))]
    return Cues(**chosen)


def draw_poster(title: str, genres: Sequence[str], rng: np.random.Generator) -> Image.Image:
    """Draws the poster of a film.

    Args:
      title: Latin-1 text; lettered in capitals without accents.
      genres: one or more of `GENRES`.
      rng: what everything else depends on.

    Returns:
      An RGB image of `canvas.WIDTH` x `canvas.HEIGHT` pixels.
    """
    cues = draw_cues(genres, rng)
    canvas, palette = Canvas(), draw_palette(cues.palette, rng)
    style = draw_style(cues.lettering, rng)
    scenes = _SCENES[cues.scene]
    scenes[int(rng.integers(len(scenes)))](canvas, palette, rng)
    if cues.motif:
        motifs = _MOTIFS[cues.motif]
        middle = {"top": 0.95, "middle": 0.42, "bottom": 0.65}[style.place]
        x, y = rng.uniform(0.3, 0.7), middle + rng.uniform(-0.08, 0.08)
        size = rng.uniform(0.16, 0.28)
        # Light behind it, so that a dark figure shows before a dark scene too.
        canvas.glow(x, y, size * 1.7, palette.light, 0.4)
        motifs[int(rng.integers(len(motifs)))](canvas, palette, rng, x, y, size)
    if cues.texture:
        _TEXTURES[cues.texture](canvas, palette, rng)
    # The small print needs a calm ground to be seen on.
    canvas.sky([mix(palette.ink, BLACK, 0.2)] * 2, top=1.33)
    letter_credits(canvas, palette.light, int(rng.integers(5)), style.place != "top")
    letter_title(canvas, palette, rng, title, style)
    return textures.with_grain(canvas.finished(), _GRAIN.get(cues.texture, _FINE_GRAIN), rng)
