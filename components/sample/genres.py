"""Which genres a drawn film has: how often each appears, and with which others."""

from __future__ import annotations

import numpy as np

#: Every genre of the sample, in alphabetical order.
GENRES = ("Action", "Animation", "Comedy", "Drama", "Horror", "Romance", "Sci-Fi", "Thriller")

# How many films in about a hundred have exactly these genres. The sums over each genre, which
# decide how hard the rare ones are to learn, lie between 12 (Horror) and 46 (Drama).
_COMBINATIONS: dict[tuple[str, ...], float] = {
    ("Drama",): 11.5,
    ("Comedy",): 7.0,
    ("Horror",): 3.0,
    ("Thriller",): 1.5,
    ("Action",): 2.5,
    ("Romance",): 1.5,
    ("Sci-Fi",): 2.5,
    ("Animation",): 3.5,
    ("Drama", "Romance"): 9.5,
    ("Comedy", "Romance"): 5.5,
    ("Comedy", "Drama"): 5.0,
    ("Drama", "Thriller"): 5.0,
    ("Animation", "Comedy"): 4.5,
    ("Action", "Thriller"): 4.5,
    ("Horror", "Thriller"): 4.0,
    ("Action", "Sci-Fi"): 3.0,
    ("Action", "Comedy"): 2.0,
    ("Action", "Drama"): 2.0,
    ("Horror", "Sci-Fi"): 2.0,
    ("Drama", "Sci-Fi"): 1.0,
    ("Comedy", "Horror"): 1.0,
    ("Animation", "Sci-Fi"): 1.0,
    ("Comedy", "Drama", "Romance"): 5.0,
    ("Action", "Drama", "Thriller"): 3.0,
    ("Drama", "Romance", "Thriller"): 2.0,
    ("Action", "Sci-Fi", "Thriller"): 2.5,
    ("Action", "Animation", "Comedy"): 2.0,
    ("Drama", "Horror", "Thriller"): 1.5,
    ("Horror", "Sci-Fi", "Thriller"): 1.0,
    ("Animation", "Drama", "Romance"): 1.0,
    ("Animation", "Comedy", "Romance"): 1.0,
}
_KEYS = tuple(_COMBINATIONS)
_EDGES = np.cumsum(list(_COMBINATIONS.values())) / sum(_COMBINATIONS.values())


def draw_genres(rng: np.random.Generator) -> tuple[str, ...]:
    """One film's genres: 1 to 3 of `GENRES`, in alphabetical order."""
    return _KEYS[int(np.searchsorted(_EDGES, rng.random(), side="right"))]


def expected_frequencies() -> dict[str, float]:
    """The share of films, in [0, 1], that carry each genre; the shares sum to the mean count."""
    total = sum(_COMBINATIONS.values())
    return {
        genre: sum(share for key, share in _COMBINATIONS.items() if genre in key) / total
        for genre in GENRES
    }
