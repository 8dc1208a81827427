"""Scores that a model gave before, so that a baseline need not be asked again.

From run to run the baseline and the test split are mostly the same. What was said is known by the
content of both, on whichever runner; a file that is not there or not whole is as good as none.
"""

from __future__ import annotations

import functools
import hashlib
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tfx.utils import path_utils

from components import paths
from components.errors import PostersError
from components.files import write_bytes
from components.model_files import EXTRA_FOLDER
from components.spans import digests as file_digests

#: Grows when what a file holds, or how a model is asked, changes.
_FORMAT = 1
_CHUNK_BYTES = 1 << 20


class KnownAnswers(NamedTuple):
    """What one model said of the N examples of a split.

    Attributes:
      ids: (N,) str, sorted, each once.
      labels: (B,) str, its own.
      scores: (N, B) float32.
    """

    ids: np.ndarray
    labels: np.ndarray
    scores: np.ndarray

    def of(self, ids: np.ndarray) -> np.ndarray:
        """The scores of some of the examples, (n, B).

        Raises:
          PostersError: one of them is not among those.
        """
        places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        if not np.array_equal(self.ids[places], ids):
            raise PostersError(
                "the answers that were kept of the last blessed model are of other examples: "
                "remove the folder `answers` of the workspace and run again."
            )
        return self.scores[places]


def examples_digest(split_folders: Iterable[str]) -> str:
    """What tells examples from all others: the content of the TFRecord files of their folders."""
    files = [file for folder in split_folders for file in _files(folder)]
    digests = sorted(file_digests.of(files).values())
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def name(model_uri: str, examples: str) -> str:
    """The name of the file with what a model said of some examples.

    Args:
      model_uri: the model artifact's.
      examples: from `examples_digest`.
    """
    return name_of(model_content(model_uri), examples)


def model_content(model_uri: str) -> list[str]:
    """What tells a model from all others: the names and digests of the files that answer."""
    model = path_utils.serving_model_path(model_uri)
    files = {file.removeprefix(model): file for file in _files(model)}
    return [
        f"{name} {_digest(file)}"
        for name, file in files.items()
        if not name.startswith(f"/{EXTRA_FOLDER}/")
    ]


def name_of(content: Sequence[str], examples: str) -> str:
    """The same as `name`, of a model whose content is known already; see `model_content`."""
    words = [str(_FORMAT), examples, *content]
    return f"{hashlib.sha256(chr(0).join(words).encode()).hexdigest()[:32]}.npz"


def keep(path: str, labels: Sequence[str], ids: np.ndarray, scores: np.ndarray) -> None:
    """Writes one model's scores; nothing if ids repeat, for then they tell no examples apart.

    Args:
      path: the file, named by `name`.
      labels: B names.
      ids: (N,) str, sorted.
      scores: (N, B).
    """
    if len(np.unique(ids)) < len(ids):
        return
    buffer = io.BytesIO()
    np.savez_compressed(buffer, ids=ids, labels=np.array(labels), scores=scores)
    write_bytes(paths.to_path(path), buffer.getvalue())


def is_known(path: str, labels: Sequence[str]) -> bool:
    """Whether there is a whole file, of a model with these labels."""
    read.cache_clear()
    found = read(path)
    return found is not None and found.labels.tolist() == list(labels)


@functools.lru_cache(maxsize=2)
def read(path: str) -> KnownAnswers | None:
    """What was kept, or None if nothing was or it is damaged."""
    try:
        with paths.open_file(path) as file:
            content = file.read()
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return KnownAnswers(**arrays)
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def _files(folder: str) -> list[str]:
    return sorted(
        f"{parent.rstrip('/')}/{name}"
        for parent, _, names in tf.io.gfile.walk(folder)
        for name in names
    )


def _digest(file: str) -> str:
    digest = hashlib.sha256()
    with tf.io.gfile.GFile(file, "rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
