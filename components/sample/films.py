"""The films of a sample: everything that its CSV says, without any pixels."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np

from components.sample.genres import draw_genres
from components.sample.titles import draw_title

# Ids are (start + i * step) modulo a number that shares no factor with the step: no two of the
# first 8,999,993 films of a seed have the same one. The seed shifts the start, so that samples of
# a few seeds can be put together as spans of one data set.
_FIRST_ID = 100_000
_ID_COUNT = 8_999_993
_ID_STEP = 1_299_709
_ID_SHIFT = 15_485_863

_FILM_STREAM, _POSTER_STREAM = 0, 1


@dataclasses.dataclass(frozen=True)
class Film:
    """One row of the CSV.

    Attributes:
      imdb_id: 6 or 7 digits, unique within a sample.
      title: Latin-1 text without the year.
      year: 1920 to 2020.
      score: 1.0 to 9.9, one decimal.
      genres: 1 to 3 genres, in alphabetical order.
    """

    imdb_id: int
    title: str
    year: int
    score: float
    genres: tuple[str, ...]


def films(seed: int) -> Iterator[Film]:
    """Yields the films of `seed` without end; film i is the same however many are taken."""
    taken: set[tuple[str, int]] = set()
    for index in itertools.count():
        rng = np.random.default_rng([seed, index, _FILM_STREAM])
        genres = draw_genres(rng)
        title, year = _title_and_year(rng)
        # Two films of one title and year would look like duplicates to whoever reads the CSV.
        while (title, year) in taken:
            title, year = _title_and_year(rng)
        taken.add((title, year))
        score = round(min(max(float(rng.normal(6.4, 1.1)), 1.0), 9.9), 1)
        imdb_id = _FIRST_ID + (seed * _ID_SHIFT + index * _ID_STEP) % _ID_COUNT
        yield Film(imdb_id, title, year, score, genres)


def poster_rng(seed: int, index: int) -> np.random.Generator:
    """The stream that film `index`'s poster is drawn from, apart from the film's own."""
    return np.random.default_rng([seed, index, _POSTER_STREAM])


def _title_and_year(rng: np.random.Generator) -> tuple[str, int]:
    # The larger of two draws: most films are recent, as in any catalogue.
    return draw_title(rng), 1920 + int(rng.integers(0, 101, 2).max())
