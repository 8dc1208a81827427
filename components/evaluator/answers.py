"""From TFMA's extracts to arrays: what each example is, and what the models answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow_model_analysis as tfma

from components.evaluator import known_answers
from components.evaluator.plan import Plan
from components.evaluator.predictions import Predictions

#: Where an example's identifier lies among the extracted features.
ID = "example_id"


class Answers(NamedTuple):
    """Some examples, a row each; `baseline` has no columns where no baseline was asked."""

    ids: np.ndarray
    truth: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray
    baseline: np.ndarray


def of_extract(extract: Mapping[str, Any], plan: Plan) -> Answers:
    """Takes one example out of its extracts.

    With one model TFMA keeps labels and predictions as they are, with two by the model's name.
    """
    truth, answer = extract[tfma.LABELS_KEY], extract[tfma.PREDICTIONS_KEY]
    baseline = np.empty((1, 0), np.float32)
    if plan.asks_baseline:
        baseline = _row(answer[tfma.BASELINE_KEY]["scores"], len(plan.baseline_labels))
        truth, answer = truth[tfma.CANDIDATE_KEY], answer[tfma.CANDIDATE_KEY]
    width = len(plan.labels)
    return Answers(
        ids=np.array([extract[tfma.FEATURES_KEY][ID].item().decode(errors="replace")]),
        truth=_row(truth, width) > 0,
        scores=_row(answer["scores"], width),
        probabilities=_row(answer["probabilities"], width),
        baseline=baseline,
    )


def stack(parts: Iterable[Answers]) -> Answers:
    """All rows of one or more parts."""
    return Answers(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def to_predictions(answers: Answers, plan: Plan) -> Predictions:
    """Sorts the rows by id, so that no figure depends on how the examples came in.

    A baseline that gives anything but numbers is none.
    """
    order = np.argsort(answers.ids, kind="stable")
    ids, truth, scores, probabilities, baseline = (column[order] for column in answers)
    if plan.baseline_answers is not None:
        baseline = known_answers.read(plan.baseline_answers).of(ids)
    usable = plan.baseline_labels is not None and bool(np.isfinite(baseline).all())
    return Predictions(
        labels=plan.labels,
        ids=ids,
        truth=truth,
        scores=scores,
        probabilities=probabilities,
        baseline_labels=plan.baseline_labels if usable else None,
        baseline_scores=baseline if usable else None,
    )


def _row(values: Any, width: int) -> np.ndarray:
    return np.asarray(values, np.float32).reshape(1, width)
