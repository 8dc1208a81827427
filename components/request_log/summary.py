"""A log of requests in a few numbers, and how far they are from the training data's."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from components.request_log.records import Asked


@dataclasses.dataclass(frozen=True)
class Summary:
    """Some images in numbers that can be kept and compared.

    Attributes:
      images: N.
      distinct_images: how many of them differ in content.
      first, last: when they came, seconds since 1970; 0 of training images.
      mean, deviation: (D,) of the embeddings.
      given: by label, the share of images that are given it; of training images, that have it.
    """

    images: int
    distinct_images: int
    first: int
    last: int
    mean: np.ndarray
    deviation: np.ndarray
    given: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Drift:
    """How far one summary is from another.

    Attributes:
      embedding_shift: the root mean square, over the D features, of the difference of means in
        units of the reference's deviation. Of images of the reference's own kind it is about
        `expected_shift`.
      expected_shift: what chance alone gives, sqrt(1 / N + 1 / M) of N and M images.
      given: by label, (share in the reference, share now).
    """

    embedding_shift: float
    expected_shift: float
    given: Mapping[str, tuple[float, float]]


def of_requests(asked: Asked) -> Summary:
    """What a version was asked about; N is at least 1."""
    given = (asked.scores > 0.5).mean(axis=0)
    return Summary(
        images=len(asked),
        distinct_images=len(np.unique(asked.digests)),
        first=int(asked.times[0]),
        last=int(asked.times[-1]),
        mean=asked.embeddings.mean(axis=0),
        deviation=asked.embeddings.std(axis=0),
        given=dict(zip(asked.labels, given.tolist(), strict=True)),
    )


def of_training(embeddings: np.ndarray, truth: np.ndarray, labels: tuple[str, ...]) -> Summary:
    """Training images, such as those that `components.trainer.neighbours` reads.

    Args:
      embeddings: (N, D) of the same model.
      truth: (N, L), 0 or 1.
      labels: L names.
    """
    return Summary(
        images=len(embeddings),
        distinct_images=len(embeddings),
        first=0,
        last=0,
        mean=embeddings.mean(axis=0),
        deviation=embeddings.std(axis=0),
        given=dict(zip(labels, np.mean(truth, axis=0).tolist(), strict=True)),
    )


def compare(reference: Summary, now: Summary) -> Drift:
    """How far requests are from the training data, both by the embeddings of one model.

    Args:
      reference: of the training images.
      now: of the requests.
    """
    varies = reference.deviation > 0
    shift = (now.mean - reference.mean)[varies] / reference.deviation[varies]
    return Drift(
        embedding_shift=float(np.sqrt(np.mean(shift**2))),
        expected_shift=float(np.sqrt(1 / reference.images + 1 / now.images)),
        given={
            label: (reference.given[label], share)
            for label, share in now.given.items()
            if label in reference.given
        },
    )
