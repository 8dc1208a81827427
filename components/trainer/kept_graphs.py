"""Flat extractors on disk: one file an extractor and image size, whole or recognised as damaged.

Loading a TF-Hub module and folding it takes seconds, reading its flat graph a tenth of one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import tensorflow as tf
from tensorflow.core.framework import graph_pb2

from components.files import write_bytes
from components.trainer.feature_store import set_aside, sweep

#: Grows when another graph is made of the same module.
_FORMAT = 1
#: Of the SHA-256 that a file begins with.
_DIGEST_BYTES = 32


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
    try:
        stored = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, content = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        set_aside(path, "its content is not what was written")
        return None
    return graph_pb2.GraphDef.FromString(content)


def write(path: Path, graph: graph_pb2.GraphDef) -> None:
    """Keeps a graph, and clears what killed runs left beside it."""
    content = graph.SerializeToString(deterministic=True)
    write_bytes(path, hashlib.sha256(content).digest() + content)
    sweep(path.parent)
