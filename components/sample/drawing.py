"""Draws the posters of a sample into a folder, with a process a core."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from components.sample.films import films, poster_rng
from components.sample.poster import draw_poster

#: Quality of the posters' JPEG.
JPEG_QUALITY = 85
#: A process takes as long to begin as so many posters to draw.
_WORTH_A_PROCESS = 50
_WORKER = f"import sys; from {__name__} import worker; sys.exit(worker(*sys.argv[1:]))"
#: With the number of an error of the system added: what such a process exits with.
_STATUS_OF_ERROR = 100
#: Bytes read at a time.
_PIECE = 64


def draw(folder: Path, seed: int, count: int, progress: Callable[[int], None]) -> None:
    """Draws the posters of the first films of a seed; the same bytes on any number of cores.

    Args:
      folder: holds `<imdbId>.jpg` of each afterwards.
      seed: which films.
      count: how many, 1 or more.
      progress: called with how many are drawn.

    Raises:
      OSError: one cannot be written.
    """
    processes = min(os.cpu_count() or 1, count // _WORTH_A_PROCESS)
    if processes < 2:
        _draw(folder, seed, count, range(count), progress)
    else:
        _draw_side_by_side(folder, seed, count, processes, progress)


def _draw(
    folder: Path, seed: int, count: int, places: Iterable[int], progress: Callable[[int], None]
) -> None:
    chosen = list(itertools.islice(films(seed), count))
    for done, place in enumerate(places, start=1):
        film = chosen[place]
        poster = draw_poster(film.title, film.genres, poster_rng(seed, place))
        poster.save(folder / f"{film.imdb_id}.jpg", quality=JPEG_QUALITY)
        progress(done)


def _draw_side_by_side(
    folder: Path, seed: int, count: int, processes: int, progress: Callable[[int], None]
) -> None:
    package = str(Path(__file__).parents[2])
    search = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
    reading, writing = os.pipe()
    with contextlib.ExitStack() as stack:
        drawn = stack.enter_context(os.fdopen(reading, "rb", buffering=0))
        begun = []
        with os.fdopen(writing, "wb") as end:
            for first in range(processes):
                numbers = map(str, (seed, count, first, processes))
                process = subprocess.Popen(
                    [sys.executable, "-c", _WORKER, str(folder.absolute()), *numbers],
                    cwd=folder,  # Python looks there first, and it holds nothing to import
                    env={**os.environ, "PYTHONPATH": search},
                    stdin=subprocess.DEVNULL,
                    stdout=end,
                    stderr=subprocess.PIPE,
                    text=True,
                )
                begun.append(stack.enter_context(process))
                stack.callback(process.kill)  # whatever ends this, none goes on
        done = 0
        while ended := len(drawn.read(_PIECE)):
            done += ended
            progress(done)
        for process in begun:
            complaints = process.stderr.read()
            if status := process.wait():
                raise _failure(status, complaints)


def _failure(status: int, complaints: str) -> Exception:
    code = status - _STATUS_OF_ERROR
    if code in errno.errorcode:
        return OSError(code, os.strerror(code))
    return RuntimeError(f"a process that draws posters ended with {status}: {complaints.strip()}")


def worker(folder: str, *numbers: str) -> int:
    """One of the processes: draws every `step`-th film, and writes a byte to its output for each.

    Args:
      folder: where to.
      *numbers: seed, count, first, and step.

    Returns:
      What to exit with.
    """
    seed, count, first, step = map(int, numbers)
    try:
        _draw(Path(folder), seed, count, range(first, count, step), lambda _: os.write(1, b"."))
    except OSError as error:
        return _STATUS_OF_ERROR + (error.errno or errno.EIO)
    return 0
