"""Asks an exported model what it says of images, without embedding any of them a second time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from components.evaluator import kept_embeddings
from components.evaluator.kept_embeddings import KeptEmbeddings
from components.trainer import export

#: What stands in the error of a model whose kept embeddings are wrong; Beam passes on only words.
WRONG = "kept embeddings do not give what the model says"
#: Images that each worker passes whole, of those with a kept embedding and of those without.
_CHECKED = 16
_TOLERANCE = 1e-5
_OUTPUTS = ("scores", "probabilities")
#: A model that lacks one of them is asked whole; whether it may serve is ServingCheck's to say.
_NEEDED = (export.EMBEDDING, export.SCORES_OF_EMBEDDING)


class WrongEmbeddingsError(Exception):
    """Kept embeddings are not those that the model makes; the text begins with `WRONG`."""


class Embeddings:
    """The embeddings of all extractors that one worker meets: models may share one."""

    def __init__(self, answers_folder: str | None) -> None:
        """Takes the folder below which they are kept, or None if they are not."""
        self._answers_folder = answers_folder
        self._opened: dict[str, KeptEmbeddings] = {}

    def of(self, model: Any, folder: str) -> KeptEmbeddings | None:
        """Those of a model's extractor, or None if nothing may be reused for it.

        Args:
          model: the loaded SavedModel.
          folder: where it lies.
        """
        if self._answers_folder is None or not all(name in model.signatures for name in _NEEDED):
            return None
        fingerprint = export.read_description(folder).get("embedding_fingerprint")
        if not fingerprint:
            return None
        if fingerprint not in self._opened:
            shape = model.signatures[export.EMBEDDING].structured_outputs[export.EMBEDDING].shape
            kept = kept_embeddings.folder_of(self._answers_folder, fingerprint)
            self._opened[fingerprint] = KeptEmbeddings(kept, shape[1])
        return self._opened[fingerprint]

    def publish(self) -> None:
        """Keeps what was added."""
        for kept in self._opened.values():
            kept.publish()


class Asker:
    """Asks one model.

    Some images are passed whole all the same: what the kept embeddings give must be what the model
    says, or none of them counts.
    """

    def __init__(self, model: Any, folder: str, embeddings: Embeddings) -> None:
        """Takes a loaded SavedModel, its folder, and the embeddings there are."""
        self._signatures = model.signatures
        self._folder = folder
        self._kept = embeddings.of(model, folder)
        self._left = {True: _CHECKED, False: _CHECKED}

    def ask(self, examples: Sequence[bytes], images: Sequence[bytes]) -> dict[str, np.ndarray]:
        """What the model says of N examples.

        Args:
          examples: serialized.
          images: the encoded image of each.

        Returns:
          `scores` and `probabilities`, (N, L) float32 each; NaN for an image that cannot be
          decoded.

        Raises:
          WrongEmbeddingsError: kept embeddings give something else; they are removed.
        """
        if self._kept is None:
            return self._whole(examples)
        embeddings, reused = self._embeddings(self._kept, images)
        signature = self._signatures[export.SCORES_OF_EMBEDDING]
        answer = _arrays(signature(embedding=tf.constant(embeddings)))
        decoded = np.isfinite(embeddings).all(axis=1)
        answer = {key: np.where(decoded[:, None], rows, np.nan) for key, rows in answer.items()}
        self._check(self._kept, examples, answer, reused)
        return answer

    def _whole(self, examples: Sequence[bytes]) -> dict[str, np.ndarray]:
        signature = self._signatures[export.SERVING_EXAMPLES]
        return _arrays(signature(examples=tf.constant(examples, tf.string)))

    def _embeddings(
        self, kept: KeptEmbeddings, images: Sequence[bytes]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of N images the embeddings (N, D), and whether each was known (N,)."""
        digests = [kept_embeddings.digest(image) for image in images]
        embeddings, reused = kept.find(digests)
        missing = np.flatnonzero(~reused)
        if len(missing):
            given = tf.constant([images[row] for row in missing], tf.string)
            answer = self._signatures[export.EMBEDDING](**{export.IMAGE_INPUT: given})
            embeddings[missing] = answer[export.EMBEDDING].numpy()
            kept.add([digests[row] for row in missing], embeddings[missing])
        return embeddings, reused

    def _check(
        self,
        kept: KeptEmbeddings,
        examples: Sequence[bytes],
        answer: dict[str, np.ndarray],
        reused: np.ndarray,
    ) -> None:
        rows = []
        for kind, left in self._left.items():
            chosen = np.flatnonzero(reused == kind)[:left].tolist()
            self._left[kind] -= len(chosen)
            rows += chosen
        if not rows:
            return
        whole = self._whole([examples[row] for row in rows])
        for key in _OUTPUTS:
            if not np.allclose(answer[key][rows], whole[key], 0, _TOLERANCE, equal_nan=True):
                kept.discard()
                raise WrongEmbeddingsError(f"{WRONG} ({key} of {self._folder})")


def _arrays(answer: dict[str, tf.Tensor]) -> dict[str, np.ndarray]:
    return {key: answer[key].numpy() for key in _OUTPUTS}
