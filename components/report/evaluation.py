"""What was measured on the test split, and the charts of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.errors import PostersError
from components.evaluator import predictions, verdict
from components.evaluator.predictions import Predictions
from components.evaluator.verdict import Bin, Verdict
from components.report import pictures
from components.report.charts import calibration, matrix, ranking
from components.report.curves import Curves, curves
from components.report.sources import Sources

#: Labels with charts and pictures of their own, the first of the vocabulary: of hundreds the page
#: would grow too heavy to send.
DETAILED = 40


def describe(sources: Sources, missing: list[str]) -> dict[str, Any] | None:
    """The section of the evaluation.

    Args:
      sources: where the pieces lie.
      missing: takes a sentence for each piece that cannot be read.

    Returns:
      The verdict's fields, `charts` by name, and `by_label` a list of curves' best points, charts
      and pictures, of `DETAILED` labels at most; None if there is no verdict.
    """
    if sources.evaluation is None or sources.blessing is None:
        missing.append("Nothing was measured: the run ended before the Evaluator was done.")
        return None
    try:
        decided = verdict.read(sources.evaluation, sources.blessing)
    except PostersError as error:
        missing.append(str(error))
        return None
    content = dataclasses.asdict(decided)
    content["charts"] = _charts(decided)
    try:
        answers = predictions.read(sources.evaluation)
    except PostersError as error:
        missing.append(str(error))
        return {**content, "by_label": []}
    shown = pictures.choose(answers, answers.labels[:DETAILED])
    found = pictures.read(shown, answers, sources, missing)
    content["by_label"] = [
        _of_label(place, answers, decided, shown[label], found) for place, label in enumerate(shown)
    ]
    return content


def _charts(decided: Verdict) -> dict[str, str | None]:
    pairs = decided.confusion
    names = pairs.labels[:DETAILED]
    pooled = _pooled(list(decided.calibration.values()))
    return {
        "calibration": calibration.calibration("calibration", "all labels together", pooled),
        "truth": matrix.together(
            "together-truth", "In truth", names, _square(pairs.co_occurrence_truth)
        ),
        "predicted": matrix.together(
            "together-predicted",
            "As the model gives them",
            names,
            _square(pairs.co_occurrence_predicted),
        ),
    }


def _square(counts: Sequence[Sequence[int]]) -> np.ndarray:
    return np.array(counts)[:DETAILED, :DETAILED]


def _pooled(by_label: Sequence[Sequence[Bin]]) -> list[dict[str, Any]]:
    """The bins of all labels as one, each weighted by its examples."""
    pooled = []
    for bins in zip(*by_label, strict=True):
        filled = [item for item in bins if item.count]
        count = sum(item.count for item in filled)
        if count:
            said = sum(item.mean_probability * item.count for item in filled) / count
            true = sum(item.share_positive * item.count for item in filled) / count
            pooled.append({"mean_probability": said, "share_positive": true, "count": count})
    return pooled


def _of_label(
    place: int,
    answers: Predictions,
    decided: Verdict,
    shown: Mapping[str, Sequence[int]],
    found: Mapping[str, pictures.Picture],
) -> dict[str, Any]:
    label, truth = answers.labels[place], answers.truth[:, place]
    now = curves(truth, answers.scores[:, place])
    before = _before(label, truth, answers)
    bins = [dataclasses.asdict(item) for item in decided.calibration.get(label, ())]
    charts = {
        "precision_recall": now and ranking.precision_recall(label, now, before),
        "thresholds": now and ranking.thresholds(label, now),
        "calibration": calibration.calibration(f"calibration-{label}", label, bins),
    }
    return {
        "label": label,
        "best": _best(now),
        "charts": charts,
        "pictures": {
            kind: [pictures.describe(row, place, answers, found) for row in rows]
            for kind, rows in shown.items()
        },
    }


def _before(label: str, truth: np.ndarray, answers: Predictions) -> Curves | None:
    if answers.baseline_labels is None or label not in answers.baseline_labels:
        return None
    return curves(truth, answers.baseline_scores[:, answers.baseline_labels.index(label)])


def _best(found: Curves | None) -> dict[str, float] | None:
    """The best that any threshold gives: by how much the one that is served falls short of it."""
    if found is None:
        return None
    return {
        "threshold": float(found.thresholds[found.best]),
        "f1": float(found.f1[found.best]),
        "all_positive_f1": float(found.all_positive_f1),
    }
