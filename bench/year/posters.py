"""The posters of a year: drawn as those of the sample are, week by week."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image, ImageOps

from bench.year.plan import NEW_GENRE, Delivery, Mix
from components.sample import drawing, writing
from components.sample.films import Film, films, poster_rng
from components.sample.poster import draw_poster

_DARK = "Horror"


class Studio:
    """Draws what comes in; a poster comes in once."""

    def __init__(self, seed: int = 7) -> None:
        """Makes a studio; the same seed draws the same posters.

        Args:
          seed: 0 or more.
        """
        self._seed = seed
        self._films = enumerate(films(seed))
        self._has_new_genre = False

    def deliver(self, delivery: Delivery, folder: Path) -> tuple[Path, Path]:
        """Draws the posters of a delivery.

        Args:
          delivery: what is wanted.
          folder: a folder that is made for them.

        Returns:
          The table, and the folder of the images.
        """
        self._has_new_genre |= delivery.mix == "new genre"
        images = folder / writing.IMAGES_NAME
        images.mkdir(parents=True)
        chosen = []
        for place, (index, film) in zip(
            range(delivery.posters), self._choose(delivery.mix), strict=False
        ):
            content = self._draw(index, film, delivery.mix)
            if place < delivery.damaged:
                content = content[: len(content) // 3]
            (images / f"{film.imdb_id}.jpg").write_bytes(content)
            if delivery.mix == "mislabelled":
                film = dataclasses.replace(film, genres=(_DARK,))
            chosen.append(film)
        table = folder / writing.CSV_NAME
        writing.write_csv(table, chosen)
        return table, images

    def _choose(self, mix: Mix) -> Iterator[tuple[int, Film]]:
        """The next films that a mix has, without end."""
        fits = _FITS.get(mix, lambda place, film: True)
        place = 0
        while True:
            index, film = next(self._films)
            if NEW_GENRE in film.genres and not self._has_new_genre:
                continue
            if fits(place, film):
                place += 1
                yield index, film

    def _draw(self, index: int, film: Film, mix: Mix) -> bytes:
        poster = draw_poster(film.title, film.genres, poster_rng(self._seed, index))
        if mix == "negative":
            poster = ImageOps.invert(poster)
        return _encode(poster)


def _encode(poster: Image.Image) -> bytes:
    buffer = io.BytesIO()
    poster.save(buffer, "JPEG", quality=drawing.JPEG_QUALITY)
    return buffer.getvalue()


#: Whether a film fits at a place of a delivery.
_FITS: dict[Mix, Callable[[int, Film], bool]] = {
    "new genre": lambda place, film: place % 2 == 1 or NEW_GENRE in film.genres,
    "dark": lambda place, film: place % 3 == 0 or _DARK in film.genres,
}
