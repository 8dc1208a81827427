"""What a model says of one image, wherever it was asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

#: A score above this gives the label.
DECISION_POINT = 0.5
#: Digits after the point of what is written: float32 has about seven.
_DIGITS = 7


@dataclasses.dataclass(frozen=True)
class Prediction:
    """An answer, or why there is none.

    Attributes:
      scores: by label, in [0, 1]; above 0.5 gives the label.
      probabilities: by label, calibrated.
      error: why there is no answer, or None; scores and probabilities are empty then.
    """

    scores: Mapping[str, float]
    probabilities: Mapping[str, float]
    error: str | None = None

    @classmethod
    def failed(cls, error: str) -> Prediction:
        """One without an answer."""
        return cls({}, {}, error)

    @property
    def labels(self) -> list[str]:
        """The labels given, best first."""
        given = [label for label, score in self.scores.items() if score > DECISION_POINT]
        return sorted(given, key=lambda label: -self.scores[label])


class Answerer(Protocol):
    """A model that can be asked: one loaded here, or one behind a server.

    Attributes:
      name: where it is, for a person.
      version: its version's number, in decimal digits.
      labels_output: what its output with the labels' names is called.
    """

    name: str
    version: str
    labels_output: str

    def ask(self, images: Sequence[bytes]) -> list[Prediction]:
        """One prediction an encoded image, in order; one that is no image spoils no other."""


def to_row(
    identifier: str, where: str, prediction: Prediction, answerer: Answerer
) -> dict[str, Any]:
    """A prediction as JSON has it, everywhere it is written.

    Returns:
      `id`, `path`, `status` (empty if all is well), the labels given under `labels_output`,
      `scores` and `probabilities` by label (null without an answer), `model_version`.
    """
    answered = prediction.error is None
    return {
        "id": identifier,
        "path": where,
        "status": prediction.error or "",
        answerer.labels_output: prediction.labels if answered else None,
        "scores": _rounded(prediction.scores) if answered else None,
        "probabilities": _rounded(prediction.probabilities) if answered else None,
        "model_version": answerer.version,
    }


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {label: round(value, _DIGITS) for label, value in values.items()}
