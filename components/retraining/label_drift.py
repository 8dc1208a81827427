"""How far the labels' frequencies moved, and how far chance alone would have moved them.

A label is on a share p of the posters, and two shares are compared as Cohen's effect size
h = |2 asin(sqrt(p)) - 2 asin(sqrt(q))|, in 0..pi, which says as much of a rare label as of a
frequent one (Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988, chapter 6: 0.2 is
small, 0.5 medium, 0.8 large). From 0.10 to 0.21 it is 0.3, from 0.50 to 0.65 too.

The arcsine also makes the variance the same for every share, 1/n + 1/m of n and m posters. With it,
and corrected for the number of labels (Bonferroni), comes the h that chance exceeds once in a
thousand decisions; below that a few posters would be called a drift. Counts are corrected as
Anscombe has it (The transformation of Poisson, binomial and negative-binomial data, Biometrika 35,
1948), so that all this holds for few posters too.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from statistics import NormalDist

#: How often chance alone, in some label, is taken for a drift.
FALSE_ALARMS = 0.001


@dataclasses.dataclass(frozen=True)
class LabelDrift:
    """The label whose frequency moved most.

    Attributes:
      label: its name.
      h: by how much, as Cohen's h, in 0..pi.
      by_chance: the h that chance alone rarely exceeds.
      share_before, share_now: of the posters, in [0, 1].
    """

    label: str
    h: float
    by_chance: float
    share_before: float
    share_now: float

    def exceeds(self, limit: float) -> bool:
        """Whether it is more than a limit, and more than chance."""
        return self.h > limit and self.h > self.by_chance


def largest(
    before: Mapping[str, int], posters_before: int, now: Mapping[str, int], posters_now: int
) -> LabelDrift | None:
    """The label that moved most between two sets of posters.

    Args:
      before: by label, how many of the earlier posters carry it; its labels are compared.
      posters_before: how many there are.
      now: the same of the later ones; a label that is not there is on none.
      posters_now: how many there are.

    Returns:
      None without labels, or where a set is empty.
    """
    if not (before and posters_before and posters_now):
        return None
    distances = {
        label: abs(_angle(now.get(label, 0), posters_now) - _angle(count, posters_before))
        for label, count in before.items()
    }
    label = max(sorted(distances), key=distances.__getitem__)
    return LabelDrift(
        label=label,
        h=distances[label],
        by_chance=_by_chance(len(before), posters_before, posters_now),
        share_before=before[label] / posters_before,
        share_now=now.get(label, 0) / posters_now,
    )


def _by_chance(labels: int, posters_before: int, posters_now: int) -> float:
    quantile = NormalDist().inv_cdf(1 - FALSE_ALARMS / (2 * labels))
    return quantile * math.sqrt(1 / posters_before + 1 / posters_now)


def _angle(count: int, posters: int) -> float:
    return 2 * math.asin(math.sqrt((count + 0.375) / (posters + 0.75)))
