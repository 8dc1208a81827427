"""Looks at what the served model was asked about, and holds it against what it was trained on.

Its embeddings are compared with those that the Trainer kept beside the model, as new posters are.
What it said is compared with what it says of posters of eval: of its own data, and not of those
that its head was fitted to. How often a label is right plays no part in that, and cannot: nobody
says what a request's right answer is.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from components.paths import AnyPath
from components.request_log import newest
from components.request_log.records import Asked, why
from components.retraining import embedding_drift, label_drift, looking
from components.retraining.in_use import InUse
from components.retraining.label_drift import LabelDrift
from components.retraining.looking import NotComparableError
from components.retraining.settings import InUseSettings
from components.spans.reading import Span
from components.trainer import embedding_summary, export
from components.trainer.embedding_summary import EmbeddingSummary

#: Held out from training, and decoded by Transform anyway.
_SPLIT = "eval"


def look(
    model: AnyPath,
    labels: Sequence[str],
    spans: Sequence[Span],
    settings: InUseSettings,
    sample: int,
    image_feature: str,
) -> InUse:
    """What is in the log of the served version, compared as far as it can be.

    Args:
      model: the version's folder, named by its number.
      labels: the model's.
      spans: those that it was trained on, as far as they are there.
      settings: limits, and the log's folder.
      sample: how many posters of eval to ask about, about.
      image_feature: name of the feature with the encoded image.
    """
    found = InUse(settings.folder, model.name)
    summary, no_summary = _summary(model)
    width = None if summary is None else len(summary.mean)
    try:
        # Not `isdir`, which takes what cannot be asked for what is not there.
        tf.io.gfile.stat(settings.folder)
        kept = newest.read(settings.folder, int(model.name), labels, settings.max_images, width)
    except tf.errors.NotFoundError:
        return _without(found, f"there is no folder {settings.folder} (retrain.in_use.folder)")
    except tf.errors.OpError as error:
        return _without(found, f"{settings.folder} cannot be read: {why(error)}")
    found = dataclasses.replace(found, logged=kept.logged, left_out=kept.left_out)
    asked = kept.asked
    if asked is None:
        return _without(found, f"{settings.folder} holds no request to version {model.name}")
    found = dataclasses.replace(
        found, images=len(asked), first=_iso(asked.times[0]), last=_iso(asked.times[-1])
    )
    if len(asked) < settings.min_images:
        few = (
            f"version {model.name} was asked about {len(asked)} different images ({kept.logged} "
            f"logged); {settings.min_images} would be enough (retrain.in_use.min_images)"
        )
        return _without(found, few)
    if settings.max_embedding_drift is not None:
        found = _with_embeddings(found, summary, no_summary, asked)
    if settings.max_label_drift is not None:
        try:
            drift, posters = _labels(model, asked, spans, sample, image_feature)
            found = dataclasses.replace(found, labels=drift, posters=posters)
        except NotComparableError as error:
            found = _without(found, str(error), "what was answered was not compared")
    return found


def _summary(model: AnyPath) -> tuple[EmbeddingSummary | None, str]:
    """What is kept of the embeddings that the model was trained on, or why nothing is."""
    try:
        return embedding_summary.read(str(model)), ""
    except ValueError as error:
        return None, str(error)


def _with_embeddings(
    found: InUse, summary: EmbeddingSummary | None, no_summary: str, asked: Asked
) -> InUse:
    drift = summary and embedding_drift.measure(summary, asked.embeddings)
    if drift is None:
        reason = no_summary or "nothing is kept of the model's own posters"
        return _without(found, reason, "the images asked about were not compared")
    return dataclasses.replace(found, embeddings=drift)


def _labels(
    model: AnyPath, asked: Asked, spans: Sequence[Span], sample: int, image_feature: str
) -> tuple[LabelDrift, int]:
    """The label that is given more or less often than to posters of eval, and their number."""
    scores = looking.ask(
        model, export.SERVING_DEFAULT, "scores", looking.draw(spans, sample, image_feature, _SPLIT)
    )
    scores = scores[np.isfinite(scores).all(axis=1)]
    if not len(scores):
        raise NotComparableError(f"the spans it was trained on have no poster in {_SPLIT}")
    drift = label_drift.largest(
        _counts(scores, asked.labels), len(scores), _counts(asked.scores, asked.labels), len(asked)
    )
    return drift, len(scores)


def _counts(scores: np.ndarray, labels: Sequence[str]) -> dict[str, int]:
    """How many images are given each label."""
    return dict(zip(labels, (scores > 0.5).sum(axis=0).tolist(), strict=True))


def _without(found: InUse, reason: str, what: str = "requests were not compared") -> InUse:
    return dataclasses.replace(found, not_compared=(*found.not_compared, f"{what}: {reason}"))


def _iso(time: int) -> str:
    return datetime.datetime.fromtimestamp(int(time), datetime.timezone.utc).isoformat()
