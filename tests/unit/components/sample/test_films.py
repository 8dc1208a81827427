import itertools

import numpy as np
import pytest

from components.sample.films import films
from components.sample.genres import GENRES, draw_genres, expected_frequencies
from components.sample.titles import draw_title


def _take(seed, count):
    return list(itertools.islice(films(seed), count))


def test_expected_frequencies_leave_each_genre_learnable():
    frequencies = expected_frequencies()
    assert min(frequencies.values()) >= 0.09
    assert 0.4 <= max(frequencies.values()) <= 0.5
    assert 1.7 <= sum(frequencies.values()) <= 2.1


def test_drawn_genres_follow_the_expected_frequencies():
    rng = np.random.default_rng(3)
    drawn = [draw_genres(rng) for _ in range(2000)]
    for genre, expected in expected_frequencies().items():
        found = sum(genre in genres for genres in drawn) / len(drawn)
        # Four standard errors: fails by chance once in some 15,000 draws.
        assert found == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 2000) ** 0.5)


def test_genres_are_one_to_three_known_ones_in_order():
    for film in _take(5, 500):
        assert 1 <= len(film.genres) <= 3
        assert set(film.genres) <= set(GENRES)
        assert list(film.genres) == sorted(set(film.genres))


def test_some_genres_go_together_more_often_than_chance():
    drawn = [film.genres for film in _take(5, 2000)]

    def share(*wanted):
        return sum(set(wanted) <= set(genres) for genres in drawn) / len(drawn)

    for pair in (("Drama", "Romance"), ("Horror", "Thriller"), ("Animation", "Comedy")):
        assert share(*pair) > 1.2 * share(pair[0]) * share(pair[1])
    assert share("Animation", "Horror") == 0


def test_ids_titles_years_and_scores_are_sane():
    taken = _take(2024, 3000)
    assert len({film.imdb_id for film in taken}) == len(taken)
    assert len({(film.title, film.year) for film in taken}) == len(taken)
    for film in taken:
        assert 6 <= len(str(film.imdb_id)) <= 7
        assert 1920 <= film.year <= 2020
        assert 1.0 <= film.score <= 9.9
        film.title.encode("iso-8859-1")
    assert any(not film.title.isascii() for film in taken)


def test_fewer_films_are_the_first_of_more():
    assert _take(9, 40) == _take(9, 90)[:40]


def test_samples_of_two_seeds_can_be_put_together():
    first, second = ({film.imdb_id for film in _take(seed, 2000)} for seed in (2024, 2025))
    assert not first & second


def test_titles_use_the_right_article():
    rng = np.random.default_rng(0)
    titles = [draw_title(rng) for _ in range(3000)]
    assert any(title.startswith("An ") for title in titles)
    assert not any(title.startswith(("A A", "A E", "A I", "A O", "A U")) for title in titles)
