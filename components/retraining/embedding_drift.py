"""How far the posters themselves moved, as the served model's extractor sees them.

After Rabanser, Guennemann and Lipton, Failing Loudly: An Empirical Study of Methods for Detecting
Dataset Shift (NeurIPS 2019): features are put on a few principal components, each component's
values are compared by a two-sample Kolmogorov-Smirnov test, and the tests are corrected for their
number (Bonferroni). The distance D of a test is how much of one sample lies on another side of some
place than of the other, in [0, 1]: a measure of how much moved, which a p-value is not.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.stats import ks_2samp

from components.trainer.embedding_summary import EmbeddingSummary

#: How often chance alone, on some axis, is taken for a drift.
FALSE_ALARMS = 0.001


@dataclasses.dataclass(frozen=True)
class EmbeddingDrift:
    """The axis on which new posters lie furthest from those before.

    Attributes:
      distance: Kolmogorov-Smirnov's D, in [0, 1].
      p_value: how often chance alone gives such a D on some axis, at most 1.
      axis: from 0; the last one is what the components leave out.
      axes: how many there are.
      posters: how many new posters were looked at.
      reference: how many earlier ones.
    """

    distance: float
    p_value: float
    axis: int
    axes: int
    posters: int
    reference: int

    def exceeds(self, limit: float) -> bool:
        """Whether it is more than a limit, and more than chance."""
        return self.distance > limit and self.p_value < FALSE_ALARMS


def measure(summary: EmbeddingSummary, features: np.ndarray) -> EmbeddingDrift | None:
    """Compares new posters with those a model was trained on.

    Args:
      summary: of the training posters' features.
      features: (N, D) of the new ones, from the same extractor; rows with NaN are left out.

    Returns:
      None where there is nothing to compare.
    """
    features = features[np.isfinite(features).all(axis=1)]
    if not len(features) or not len(summary.reference):
        return None
    now = summary.project(features)
    tests = [ks_2samp(now[:, axis], summary.reference[:, axis]) for axis in range(now.shape[1])]
    distances = [float(test.statistic) for test in tests]
    axis = int(np.argmax(distances))
    return EmbeddingDrift(
        distance=distances[axis],
        p_value=min(1.0, float(tests[axis].pvalue) * len(tests)),
        axis=axis,
        axes=len(tests),
        posters=len(features),
        reference=len(summary.reference),
    )
