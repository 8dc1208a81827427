"""One trial: a head trained with some settings, and how well it ranks the eval split."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from components.errors import PostersError
from components.trainer import fitting, head
from components.trainer.cached_features import CachedFeatures
from components.trainer.settings import TrainerSettings
from components.tuner.precision import macro_average_precision

#: What a trial scores whose loss or logits are no numbers: less than any other.
DIVERGED_SCORE = 0.0


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    Attributes:
      state: `finished`, or why it was not: `abandoned` by the rule, or `diverged`.
      score: macro average precision on eval, of the weights it ended with.
      curve: macro AUC on eval after each epoch.
      seconds: wall time.
      logits: (N, L) float32 of the eval split, or None if it diverged or they are not kept.
    """

    state: Literal["finished", "abandoned", "diverged"]
    score: float
    curve: list[float]
    seconds: float
    logits: np.ndarray | None = dataclasses.field(repr=False)


class _AbandonedError(Exception):
    """Leaves the loop over epochs."""


class Bench:
    """Trains heads on the same features, which are looked over once."""

    def __init__(self, train: CachedFeatures, evaluation: CachedFeatures) -> None:
        """Takes the splits' features; the test split's are no business of a search.

        Raises:
          PostersError: no example of the eval split has a label, so that nothing can be ranked.
        """
        if not evaluation.labels.any():
            raise PostersError(
                "tuner: no example of the eval split has any label, so no trial can be scored. "
                "Ingest more data, or leave the section `tuner` out."
            )
        self._train = train
        self.evaluation = evaluation
        self._moments = fitting.moments(train)
        self._log_odds = head.log_odds(train.labels)

    def run(
        self, settings: TrainerSettings, hopeless: Callable[[list[float]], bool] | None = None
    ) -> Outcome:
        """Trains one head as the Trainer would.

        Args:
          settings: what to train with.
          hopeless: asked after each epoch whether to stop, given macro AUC on eval so far.
        """
        started = time.monotonic()
        curve: list[float] = []
        network = self._new_head(settings)
        state, logits = "finished", None

        def watch(row: Mapping[str, float]) -> None:
            curve.append(row["eval_macro_auc"])
            if hopeless and len(curve) < settings.epochs and hopeless(curve):
                raise _AbandonedError

        try:
            fitting.fit(self._train, self.evaluation, settings, watch, start=network)
        except _AbandonedError:
            state = "abandoned"
        except PostersError:  # the loss is no number
            state = "diverged"
        if state != "diverged":
            logits = fitting.logits(network, self.evaluation)
        if logits is None or not np.isfinite(logits).all():
            return Outcome("diverged", DIVERGED_SCORE, curve, time.monotonic() - started, None)
        score = macro_average_precision(self.evaluation.labels, logits)
        return Outcome(state, score, curve, time.monotonic() - started, logits)

    def _new_head(self, settings: TrainerSettings) -> head.Head:
        """What `fitting.new_head` makes, without looking at the features again."""
        width, labels = self._train.width, self._train.labels.shape[1]
        mean, deviation = self._moments
        if not settings.head.standardize:
            mean, deviation = np.zeros(width), np.ones(width)
        bias = self._log_odds if settings.head.prior_bias else np.zeros(labels)
        return head.Head(mean, deviation, bias, settings.head, settings.seed)
