"""Whether a probability of 0.7 comes true seven times in ten."""

from __future__ import annotations

import dataclasses

import numpy as np

from components.evaluator.counts import ratio

BINS = 10


@dataclasses.dataclass(frozen=True)
class Reliability:
    """Examples of one label by what the model said, in `BINS` bins of equal width; each (BINS,).

    Attributes:
      mean_probability: what it said, on average; NaN in an empty bin.
      share_positive: how many have the label, in [0, 1]; NaN in an empty bin.
      count: how many examples there are.
    """

    mean_probability: np.ndarray
    share_positive: np.ndarray
    count: np.ndarray

    @property
    def expected_calibration_error(self) -> float:
        """Mean over the examples of how far their bin's share is from its mean probability.

        Source: M. Naeini, G. Cooper and M. Hauskrecht, "Obtaining Well Calibrated Probabilities
        Using Bayesian Binning" (2015).
        """
        gaps = np.abs(np.nan_to_num(self.mean_probability - self.share_positive))
        return float(ratio(np.sum(self.count * gaps), self.count.sum()))


def measure(truth: np.ndarray, probabilities: np.ndarray) -> Reliability:
    """Puts the examples into bins; a probability on an edge goes up, 1 into the last.

    Args:
      truth: (N,), 0 or 1.
      probabilities: (N,) in [0, 1].
    """
    probabilities = np.asarray(probabilities, float)
    places = np.clip((probabilities * BINS).astype(int), 0, BINS - 1)
    count = np.bincount(places, minlength=BINS)
    filled = np.where(count, count, np.nan)
    return Reliability(
        mean_probability=np.bincount(places, probabilities, BINS) / filled,
        share_positive=np.bincount(places, np.asarray(truth, float), BINS) / filled,
        count=count,
    )
