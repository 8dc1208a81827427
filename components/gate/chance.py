"""How far apart chance alone puts two samples of one population.

TFDV's comparators know no sample sizes: on a hundred examples they would cry at nothing. Below
these bounds a distance is measured and written down, and stops nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

#: Standard errors that the largest of some twenty shares exceeds about once in a thousand times.
_DEVIATIONS = 4.0
#: Buckets in which TFDV compares numbers: ten of each sample, laid over each other.
_BUCKETS = 20


def largest_share_change(now: Mapping[str, int], before: Mapping[str, int]) -> float:
    """The bound on the L-infinity distance of two samples' shares.

    The distance is that of the value which moved most; the bound is four standard errors of it.

    Args:
      now: how often each value occurs, at least one.
      before: the same of the other sample.

    Returns:
      A number > 0. `largest_share_change({"a": 50, "b": 50}, {"a": 50, "b": 50})` is 0.283: half of
      a hundred are some 5 % uncertain, the difference of two such halves 7 %, and four times that.
    """
    total_now, total_before = sum(now.values()), sum(before.values())

    def change(value: str) -> float:
        return abs(now.get(value, 0) / total_now - before.get(value, 0) / total_before)

    moved = max(sorted({*now, *before}), key=change)
    pooled = (now.get(moved, 0) + before.get(moved, 0)) / (total_now + total_before)
    inverse_sizes = 1 / total_now + 1 / total_before
    return _DEVIATIONS * math.sqrt(pooled * (1 - pooled) * inverse_sizes)


def fewest(count: float) -> float:
    """The bound on a number of examples where `count` are usual: four standard errors below.

    Args:
      count: >= 0.

    Returns:
      A number >= 0: `fewest(100)` is 60, `fewest(16)` is 0.
    """
    return max(0.0, count - _DEVIATIONS * math.sqrt(count))


def divergence(count_now: int, count_before: int) -> float:
    """The bound on the Jensen-Shannon divergence, in bits, of two samples' histograms.

    To second order the divergence is chi-square distributed: (buckets - 1) / (8 ln 2) times the sum
    of the inverse sizes on average. The bound is two and a half times that: one in some thousands
    of pairs lies beyond it.

    Args:
      count_now: values in one sample, >= 1.
      count_before: values in the other, >= 1.

    Returns:
      A number > 0: `divergence(570, 125)` is 0.084.
    """
    return 2.5 * (_BUCKETS - 1) / (8 * math.log(2)) * (1 / count_now + 1 / count_before)
