import numpy as np
import pytest

from components.sample import poster
from components.sample.canvas import HEIGHT, WIDTH
from components.sample.genres import GENRES
from components.sample.lettering import _capitals, _lines


def test_a_poster_has_the_stated_size_and_something_on_it():
    image = poster.draw_poster("The Hollow Harbour", ("Drama",), np.random.default_rng(1))
    assert image.mode == "RGB"
    assert image.size == (WIDTH, HEIGHT)
    assert np.asarray(image).std() > 10


@pytest.mark.parametrize("genre", GENRES)
def test_every_scene_motif_lettering_and_texture_of_a_genre_draws(genre, monkeypatch):
    cues = poster.Cues(genre, genre, genre, genre, genre)
    monkeypatch.setattr(poster, "draw_cues", lambda genres, rng: cues)
    seen = set()
    for seed in range(8):
        image = poster.draw_poster("Île Dorée", (genre,), np.random.default_rng(seed))
        seen.add(image.tobytes())
    assert len(seen) == 8


def test_cues_mostly_speak_of_the_film_but_not_always():
    rng = np.random.default_rng(4)
    scenes = [poster.draw_cues(("Horror", "Thriller"), rng).scene for _ in range(1000)]
    own = sum(scene in ("Horror", "Thriller") for scene in scenes) / 1000
    assert 0.5 < own < 0.85
    assert set(scenes) == set(GENRES)


def test_title_letters_lose_their_accents_and_break_into_even_lines():
    assert _capitals("Søren's Île, Zürnbach") == "SOREN'S ILE, ZURNBACH"
    assert _lines("THE HOLLOW HARBOUR") == ["THE HOLLOW", "HARBOUR"]
    assert _lines("ECHO") == ["ECHO"]
