"""What tells the embeddings of one exported model from those of others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from components.trainer.folding import FlatExtractor


def of(extractor: Any, facts: Mapping[str, Any], code: str) -> str:
    """A digest of all that decides which embedding an encoded image is given.

    Models with the same one give the same image the same embedding, whatever their heads are. A
    fine-tuned extractor has weights of its own, and so a digest of its own.

    Args:
      extractor: the exported one, flat or a layer with `weights`.
      facts: the fingerprint of the extractor as it was loaded, the image size and the views.
      code: fingerprint of the code that decodes, resizes and averages, and of TensorFlow.
    """
    digest = hashlib.sha256(json.dumps([code, facts], sort_keys=True).encode())
    for values in _weights(extractor):
        digest.update(f"{values.dtype} {values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()[:32]


def _weights(extractor: Any) -> Iterator[np.ndarray]:
    if isinstance(extractor, FlatExtractor):
        yield from extractor.constants()
    else:
        yield from (variable.numpy() for variable in extractor.weights)
