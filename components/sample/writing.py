"""Writes a sample: a CSV in the form of MovieGenre.csv, and the posters that it names."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from components.errors import PostersError
from components.files import new_folder
from components.sample import drawing
from components.sample.films import Film, films

DEFAULT_COUNT = 800
DEFAULT_SEED = 2024

CSV_NAME = "MovieGenre.csv"
IMAGES_NAME = "images"
_STAMP_NAME = "sample.json"
# Raised whenever the same count and seed come out differently.
_FORMAT = 1
_COLUMNS = ("imdbId", "Imdb Link", "Title", "IMDB Score", "Genre", "Poster")


def write_sample(
    out: Path,
    count: int = DEFAULT_COUNT,
    seed: int = DEFAULT_SEED,
    progress: Callable[[int, int], None] = lambda done, count: None,
) -> None:
    """Draws `count` posters into `out/images/<imdbId>.jpg` and lists them in `out/MovieGenre.csv`.

    The same count and seed give the same bytes, and a larger count keeps the films of a smaller
    one. If `out` holds just this sample already, nothing is done. `out` appears only when whole.

    Args:
      out: a folder that does not exist, is empty, or holds the same sample.
      count: how many films, 1 or more.
      seed: which films, 0 or more.
      progress: called with how many are drawn, and `count`, as they are drawn.

    Raises:
      PostersError: `out` holds something else or cannot be written, or a number is out of range.
    """
    if count < 1 or seed < 0:
        raise PostersError(
            "A sample needs a count of at least 1 and a seed of at least 0, "
            f"not {count} and {seed}."
        )
    stamp = {"format": _FORMAT, "count": count, "seed": seed}
    try:
        if _is_written(out, stamp):
            return
        with new_folder(out) as scratch:
            (scratch / IMAGES_NAME).mkdir()
            drawing.draw(scratch / IMAGES_NAME, seed, count, lambda done: progress(done, count))
            write_csv(scratch / CSV_NAME, itertools.islice(films(seed), count))
            (scratch / _STAMP_NAME).write_text(json.dumps(stamp, indent=2) + "\n")
    except OSError as error:
        raise PostersError(
            f"{out}: the sample cannot be written here ({error.strerror or error}). "
            "Name a folder on a disk with room that you may write to."
        ) from error


def _is_written(out: Path, stamp: dict[str, int]) -> bool:
    """Whether `out` holds the sample of `stamp`; raises if it holds anything else."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    try:
        found = json.loads((out / _STAMP_NAME).read_text())
    except (OSError, ValueError) as error:
        raise PostersError(
            f"{out} exists and is no sample (it has no readable {_STAMP_NAME}); nothing was "
            "written. Name another folder, or remove this one."
        ) from error
    images = sum(1 for _ in (out / IMAGES_NAME).glob("*.jpg"))
    if found == stamp and images == stamp["count"] and (out / CSV_NAME).is_file():
        return True
    raise PostersError(
        f"{out} holds another sample ({found}, with {images} posters) than {stamp}; nothing was "
        "written. Name another folder, or remove this one."
    )


def write_csv(path: Path, chosen: Iterable[Film]) -> None:
    """Lists films in the form of MovieGenre.csv."""
    with path.open("w", encoding="iso-8859-1", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for film in chosen:
            writer.writerow(
                (
                    film.imdb_id,
                    f"http://www.imdb.com/title/tt{film.imdb_id}",
                    f"{film.title} ({film.year})",
                    film.score,
                    "|".join(film.genres),
                    f"{IMAGES_NAME}/{film.imdb_id}.jpg",
                )
            )
