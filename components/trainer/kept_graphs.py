"""Flat extractors on disk: one file an extractor and image size.

Loading a TF-Hub module and folding it takes seconds, reading its flat graph a tenth of one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import tensorflow as tf
from tensorflow.core.framework import graph_pb2

from components.trainer import kept_bytes

#: Grows when another graph is made of the same module.
_FORMAT = 1


def place(folder: Path, fingerprint: str, image_size: int) -> Path:
    """Where the flat graph of an extractor is kept.

    Args:
      folder: holds all of them.
      fingerprint: tells the extractor from every other.
      image_size: side in pixels.
    """
    words = (_FORMAT, tf.__version__, fingerprint, image_size)
    return folder / hashlib.sha256("\0".join(map(str, words)).encode()).hexdigest()[:32]


def read(path: Path) -> graph_pb2.GraphDef | None:
    """What was kept, or None if nothing was or it is damaged."""
    content = kept_bytes.load(path)
    return None if content is None else graph_pb2.GraphDef.FromString(content)


def write(path: Path, graph: graph_pb2.GraphDef) -> None:
    """Keeps a graph."""
    kept_bytes.save(path, graph.SerializeToString(deterministic=True))
