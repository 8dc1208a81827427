"""From logits to calibrated probabilities, and from those to decisions, fitted on the eval split.

`probabilities` are Platt-scaled logits. `scores` are the same shifted so that 0.5 is the decision
point of every label: one rule, fitted here, evaluated by the Evaluator and served.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import optimize
from scipy.special import expit, logit

from components.trainer.settings import DecisionSettings

#: The decision point of a label that has no positive in the eval split.
SAFE_THRESHOLD = 0.5
#: Probabilities are kept this far from 0 and 1, where a logit would be infinite.
_MARGIN = 1e-6
#: Logits that deviate less, by their size, do not vary: what is left is single precision's noise.
_NOISE = 1e-6


@dataclasses.dataclass(frozen=True)
class Calibration:
    """One affine map and one threshold a label; each (L,) float64.

    Attributes:
      slope: of Platt's map from logit to calibrated logit; never negative, so that order is kept.
      intercept: of the same map.
      threshold: the calibrated probability above which a label is given, in (0, 1).
    """

    slope: np.ndarray
    intercept: np.ndarray
    threshold: np.ndarray

    @property
    def score_intercept(self) -> np.ndarray:
        """Intercept of the map from logit to the logit of a score."""
        return self.intercept - logit(self.threshold)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """(N, L) logits to calibrated probabilities."""
        return expit(logits * self.slope + self.intercept)

    def scores(self, logits: np.ndarray) -> np.ndarray:
        """(N, L) logits to scores: above 0.5 where the probability is above the threshold."""
        return expit(logits * self.slope + self.score_intercept)


def fit(
    logits: np.ndarray, labels: np.ndarray, settings: DecisionSettings | None = None
) -> Calibration:
    """Fits calibration and threshold of every label.

    Args:
      logits: (N, L) float, of the eval split.
      labels: (N, L), 0 or 1.
      settings: which of each; by default Platt scaling and the plug-in threshold.

    Returns:
      The calibration. A label without a positive among the N gets `SAFE_THRESHOLD`.
    """
    settings = settings or DecisionSettings()
    slope, intercept = np.ones(labels.shape[1]), np.zeros(labels.shape[1])
    if settings.calibration == "platt":
        maps = [platt(logits[:, label], labels[:, label]) for label in range(labels.shape[1])]
        slope, intercept = (np.array(column) for column in zip(*maps, strict=True))
    probabilities = expit(logits * slope + intercept)
    rules = {
        "plug_in": lambda given, truth: plug_in_threshold(given),
        "grid": grid_threshold,
        "half": lambda given, truth: 0.5,
    }
    rule = rules[settings.thresholds]
    thresholds = [
        rule(given, truth) if truth.any() else SAFE_THRESHOLD
        for given, truth in zip(probabilities.T, labels.T, strict=True)
    ]
    return Calibration(slope, intercept, np.array(thresholds))


def platt(logits: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Slope >= 0 and intercept of the map from logits to calibrated logits.

    Source: J. Platt, "Probabilistic Outputs for Support Vector Machines" (1999): logistic
    regression on one input, with targets (N+ + 1) / (N+ + 2) and 1 / (N- + 2) in place of 1 and 0,
    which keeps the fit finite when the classes separate or one is absent.

    Args:
      logits: (N,) float; where they do not vary the slope is 0.
      labels: (N,), 0 or 1.
    """
    positives = labels.sum()
    negatives = len(labels) - positives
    targets = np.where(labels > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    # A saturated head gives logits of any scale; the search is well conditioned at scale one.
    scale = float(np.std(logits, dtype=np.float64))
    if scale <= _NOISE * max(1.0, abs(float(np.mean(logits)))):
        # A slope of a million, and what takes it back, would lose all digits where it is served.
        return 0.0, float(logit(np.mean(targets)))
    inputs = logits / scale

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        mapped = parameters[0] * inputs + parameters[1]
        residual = expit(mapped) - targets
        value = np.mean(np.logaddexp(0, mapped) - targets * mapped)
        return value, np.array([np.mean(residual * inputs), np.mean(residual)])

    start = np.array([1.0, logit(np.mean(targets)) - np.mean(inputs)])
    found = optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None), (None, None)]
    )
    return found.x[0] / scale, found.x[1]


def plug_in_threshold(probabilities: np.ndarray) -> float:
    """The threshold that is best for F1 if the probabilities are right: half the best F1.

    Source: Z. Lipton, C. Elkan and B. Naryanaswamy, "Thresholding Classifiers to Maximize F1 Score"
    (2014). F1 is the expected one, 2 * sum of p over those chosen / (number chosen + sum of p), so
    that no label is looked at a second time.

    Args:
      probabilities: (N,) calibrated, in [0, 1].

    Returns:
      A threshold in (0, 0.5].
    """
    falling = np.sort(probabilities)[::-1]
    expected = 2 * np.cumsum(falling) / (np.arange(1, len(falling) + 1) + falling.sum())
    return float(np.clip(expected.max() / 2, _MARGIN, 0.5))


def grid_threshold(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The threshold with the best F1 on these very examples, that F1 smoothed over its neighbours.

    Every way to cut the N apart is tried. F1 is averaged over a window of a tenth of the positives
    on either side, since a lone peak is mostly luck.

    Args:
      probabilities: (N,) in [0, 1].
      truth: (N,), 0 or 1, at least one of them 1.

    Returns:
      A threshold in (0, 1).
    """
    order = np.argsort(-probabilities, kind="stable")
    falling = probabilities[order]
    chosen = np.arange(1, len(falling) + 1)
    f1 = 2 * np.cumsum(truth[order]) / (chosen + truth.sum())
    reach = int(truth.sum()) // 10
    window = np.ones(2 * reach + 1)
    # A window that the ends cut short is averaged over what is left of it.
    smooth = np.convolve(f1, window)[reach : reach + len(f1)]
    smooth /= np.convolve(np.ones_like(f1), window)[reach : reach + len(f1)]
    below = np.append(falling[1:], 0.0)
    # A cut between equal probabilities cannot be made.
    best = int(np.argmax(np.where(falling > below, smooth, -1.0)))
    return float(np.clip((falling[best] + below[best]) / 2, _MARGIN, 1 - _MARGIN))
