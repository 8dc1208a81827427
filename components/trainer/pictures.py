"""Small pictures of training images, to be shown beside a new one; kept from run to run.

Drawing two thousand takes as long as training a head, and they are mostly the last run's.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from components.trainer import kept_arrays
from components.trainer.feature_store import DIGEST

#: The folder that they are kept in, beside that of the features.
FOLDER = "pictures"
#: Longest side of a picture, and its JPEG quality: some 3 kB each.
_SIDE = 96
_QUALITY = 75
#: Grows when another picture is made of the same image.
_FORMAT = 1


def small(stored: bytes) -> bytes:
    """A small JPEG of an image, which Transform made a square of."""
    picture = Image.open(io.BytesIO(stored))
    picture.thumbnail((_SIDE, _SIDE))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=_QUALITY)
    return content.getvalue()


def of(
    digests: np.ndarray,
    folder: Path,
    words: Sequence[object],
    stored: Callable[[np.ndarray], Sequence[bytes]],
) -> list[bytes]:
    """Pictures of some images: those that the last run kept, and the others drawn.

    Args:
      digests: (N,) of the images.
      folder: holds a file for each way of making pictures; made if absent.
      words: what pictures depend on besides their images.
      stored: gives what Transform stores of the images at some places in `digests`; is not called
        if every picture was kept.
    """
    name = hashlib.sha256("\0".join(map(str, (_FORMAT, *words))).encode()).hexdigest()[:32]
    known = _read(folder / name)
    # A digest at the end of an array has lost its trailing zeros: NumPy's own form compares.
    keys = digests.astype(DIGEST).tolist()
    lacking = np.array([place for place, key in enumerate(keys) if key not in known], int)
    if len(lacking):
        drawn = map(small, stored(lacking))
        known.update(zip((keys[place] for place in lacking), drawn, strict=True))
        _write(folder / name, {key: known[key] for key in keys})
    return [known[key] for key in keys]


def _read(path: Path) -> dict[bytes, bytes]:
    arrays = kept_arrays.load(path)
    if arrays is None:
        return {}
    content, ends = arrays["pictures"].tobytes(), arrays["ends"].tolist()
    starts = [0, *ends[:-1]]
    return {
        key: content[start:end]
        for key, start, end in zip(arrays["digests"].tolist(), starts, ends, strict=True)
    }


def _write(path: Path, pictures: Mapping[bytes, bytes]) -> None:
    content = list(pictures.values())
    arrays = {
        "digests": np.array(list(pictures), DIGEST),
        "pictures": np.frombuffer(b"".join(content), np.uint8),
        "ends": np.cumsum([len(picture) for picture in content], dtype=np.int64),
    }
    kept_arrays.save(path, arrays, compress=False)
