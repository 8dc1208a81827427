"""Which trials are not worth finishing."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median


class MedianRule:
    """Abandons a trial that, so far, is worse than half of those before it were by then.

    Source: D. Golovin and others, "Google Vizier: A Service for Black-Box Optimization" (2017),
    section 3.2.2, with the figure at an epoch where they take its mean up to then.
    """

    #: Trials that run to their end whatever they show: a median of fewer says little.
    FIRST = 5

    def __init__(self, patience: int) -> None:
        """Starts without trials.

        Args:
          patience: epochs that every trial is left to run.
        """
        self._patience = patience
        self._curves: list[list[float]] = []

    def hopeless(self, curve: Sequence[float]) -> bool:
        """Whether to abandon a trial.

        Args:
          curve: its figure after each epoch so far, more being better; none may be NaN.
        """
        if len(curve) < self._patience or len(self._curves) < self.FIRST:
            return False
        then = [past[len(curve) - 1] for past in self._curves if len(past) >= len(curve)]
        return bool(then) and max(curve) < median(then)

    def add(self, curve: Sequence[float]) -> None:
        """Remembers a trial that ended or was abandoned."""
        self._curves.append(list(curve))
