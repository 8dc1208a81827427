"""Whether scores have anything to do with the labels: the labels dealt out anew, many times.

Source: B. Phipson and G. Smyth, "Permutation P-values Should Never Be Zero" (2010): the model's own
order counts as one of the shuffles.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
from scipy.stats import rankdata

from components.evaluator.figures import mean_of_known

SHUFFLES = 1000
_SEED = 21
#: Places of shuffled examples in memory at a time.
_CHUNK = 1 << 22
#: Equal sums of ranks may differ in the last bits.
_ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class PValues:
    """Shares of the shuffles in which the scores rank no worse than in truth.

    Attributes:
      macro_auc: of the mean over the labels; NaN if none has an AUC, or a score is not a number.
      auc: (L,), of each label; NaN likewise.
    """

    macro_auc: float
    auc: np.ndarray


def p_values(truth: np.ndarray, scores: np.ndarray) -> PValues:
    """Tests AUC against labels shuffled among the examples.

    An example's labels stay together: their frequencies and pairs are those of the truth. The same
    examples in the same order give the same shuffles.

    Args:
      truth: (N, L) bool.
      scores: (N, L) float.
    """
    examples, width = truth.shape
    positives = truth.sum(axis=0)
    pairs = positives * (examples - positives)
    unknown = np.full(width, np.nan)
    if not np.isfinite(scores).all() or not pairs.any():
        return PValues(float("nan"), unknown)
    pairs = np.where(pairs, pairs, np.nan)
    ranks = rankdata(scores, axis=0)
    having = [np.flatnonzero(column) for column in truth.T]
    own = _aucs(_rank_sums(ranks, having), positives, pairs)
    generator = np.random.default_rng(_SEED)
    as_good, macro_as_good = np.zeros(width), 0
    step = max(1, _CHUNK // examples)
    for start in range(0, SHUFFLES, step):
        rows = min(step, SHUFFLES - start)
        orders = generator.permuted(np.tile(np.arange(examples), (rows, 1)), axis=1)
        # The labels of example orders[n] came to n: only where they came to is looked up, and of a
        # label's examples at once for all shuffles, which lie side by side.
        places = np.empty((examples, rows), np.int32)
        places[orders.T, np.arange(rows)] = np.arange(examples, dtype=np.int32)[:, np.newaxis]
        sums = _rank_sums(ranks, (places[chosen] for chosen in having))
        shuffled = _aucs(sums, positives, pairs)
        as_good += (shuffled >= own - _ROUNDING).sum(axis=0)
        macro = np.nanmean(shuffled, axis=1)
        macro_as_good += int((macro >= mean_of_known(own) - _ROUNDING).sum())
    return PValues(
        macro_auc=(1 + macro_as_good) / (1 + SHUFFLES),
        auc=np.where(np.isnan(own), np.nan, (1 + as_good) / (1 + SHUFFLES)),
    )


def _rank_sums(ranks: np.ndarray, rows: Iterable[np.ndarray]) -> np.ndarray:
    """(..., L) sums of (N, L) ranks over each label's (P, ...) rows; halves add up exactly."""
    return np.stack(
        [column[chosen].sum(axis=0) for column, chosen in zip(ranks.T, rows, strict=True)], axis=-1
    )


def _aucs(rank_sums: np.ndarray, positives: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    return (rank_sums - positives * (positives + 1) / 2) / pairs
