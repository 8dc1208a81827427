"""Intervals by the bootstrap: the examples drawn anew, with replacement, a thousand times.

Source: B. Efron, "Bootstrap Methods: Another Look at the Jackknife" (1979); the intervals are the
percentiles of the resamples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from components.evaluator.counts import LabelCounts

RESAMPLES = 1000
#: Of the intervals, in (0, 1).
CONFIDENCE = 0.95
_SEED = 20
#: Weights in memory at a time.
_CHUNK = 1 << 22


def f1_resamples(truth: np.ndarray, decisions: Sequence[np.ndarray]) -> list[np.ndarray]:
    """F1 of every label in every resample, of one or several models on the same examples.

    Counts in a resample are sums weighted by how often an example was drawn, so that all resamples
    are one matrix product. The same examples in the same order give the same resamples: what two
    models differ by may be taken resample by resample.

    Args:
      truth: (N, L) bool.
      decisions: (N, L) bool each, a model's.

    Returns:
      For each model, (RESAMPLES, L). A label absent from a resample and never given there has 0.
    """
    width = truth.shape[1]
    columns = [truth]
    for given in decisions:
        columns += [truth & given, given]
    counted = np.concatenate(columns, axis=1).astype(np.float32)
    sums = np.concatenate([weights @ counted for weights in _weights(len(truth))])
    support, *rest = (
        sums[:, start : start + width].astype(float) for start in range(0, sums.shape[1], width)
    )
    return [
        LabelCounts(support, true_positives, predicted).f1
        for true_positives, predicted in zip(rest[::2], rest[1::2], strict=True)
    ]


def interval(resamples: np.ndarray) -> np.ndarray:
    """Percentile interval along the first axis: (RESAMPLES, ...) to (2, ...), low and high."""
    tail = (1 - CONFIDENCE) / 2
    return np.quantile(resamples, [tail, 1 - tail], axis=0)


def _weights(examples: int) -> Iterator[np.ndarray]:
    """How often each example was drawn, some resamples at a time: (resamples, N) float32."""
    generator = np.random.default_rng(_SEED)
    step = max(1, _CHUNK // examples)
    for start in range(0, RESAMPLES, step):
        rows = min(step, RESAMPLES - start)
        drawn = generator.integers(examples, size=(rows, examples))
        drawn += np.arange(rows)[:, None] * examples
        counts = np.bincount(drawn.ravel(), minlength=rows * examples)
        yield counts.reshape(rows, examples).astype(np.float32)
