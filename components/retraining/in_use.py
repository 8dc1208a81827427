"""What the served model was asked about since, as facts; and what a decision makes of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from components.retraining.label_drift import LabelDrift
from components.retraining.reasons import Reason, beside_limit, count
from components.retraining.settings import InUseSettings

if TYPE_CHECKING:
    from components.retraining.embedding_drift import EmbeddingDrift

EMBEDDING_DRIFT = "embedding_drift_in_use"
LABEL_DRIFT = "label_drift_in_use"
NOT_COMPARED = "requests_not_compared"
LEFT_OUT = "requests_left_out"


@dataclasses.dataclass(frozen=True)
class InUse:
    """The served version's part of the log of requests, beside its own data.

    Attributes:
      folder: the log's.
      version: the version's.
      logged: how many images of requests to it were read.
      images: how many different ones are compared, the newest.
      first, last: when the first and the last of those was asked about, ISO 8601; None without any.
      embeddings: how far they are from what it was trained on; None if that was not compared.
      labels: the label whose share moved most, from posters of eval to these, both as the model
        gives it; None if that was not compared.
      posters: how many posters of eval were asked about for that.
      not_compared: what was not compared, and why, in words.
      left_out: files that are damaged or somebody else's, each with what is wrong.
    """

    folder: str
    version: str
    logged: int = 0
    images: int = 0
    first: str | None = None
    last: str | None = None
    embeddings: EmbeddingDrift | None = None
    labels: LabelDrift | None = None
    posters: int = 0
    not_compared: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def _figures(self) -> dict[str, Any]:
        return {"version": self.version, "logged": self.logged, "images": self.images}


def limits(found: InUse | None, settings: InUseSettings | None) -> Iterator[Reason]:
    """Every limit on drift in use, reached or not, and what was not compared."""
    if found is None or settings is None:
        return
    yield from _embedding_drift(found, settings.max_embedding_drift)
    yield from _label_drift(found, settings.max_label_drift)
    for why in found.not_compared:
        figures = {**found._figures, "limit": settings.min_images}
        yield Reason(NOT_COMPARED, "nothing", why, figures)
    if found.left_out:
        sentence = (
            f"{count(len(found.left_out), 'file')} of {found.folder} "
            f"{'was' if len(found.left_out) == 1 else 'were'} left out as no whole file of "
            f"requests to this model, such as {found.left_out[0]}. Remove what is none"
        )
        yield Reason(LEFT_OUT, "nothing", sentence, {"files": list(found.left_out)})


def notes(found: InUse | None, settings: InUseSettings | None) -> Iterator[Reason]:
    """The same where there is nothing to train on, so that it is told and is no reason."""
    for reason in limits(found, settings):
        if reason.speaks_for == "run":
            sentence = f"{reason.sentence}; it would take posters like those to train on"
            reason = dataclasses.replace(reason, speaks_for="nothing", sentence=sentence)
        yield reason


def _embedding_drift(found: InUse, limit: float | None) -> Iterator[Reason]:
    drift = found.embeddings
    if limit is None or drift is None:
        return
    reached = drift.exceeds(limit)
    moved = (
        f"the Kolmogorov-Smirnov distance of {count(drift.posters, 'image')} that version "
        f"{found.version} was asked about ({found.logged} logged) from those trained on is "
        f"{drift.distance:.2f}, on axis {drift.axis + 1} of {drift.axes}"
    )
    by_chance, key = f"p {drift.p_value:.2g}", "retrain.in_use.max_embedding_drift"
    end = beside_limit(drift.distance, limit, reached, by_chance, key)
    figures = {
        **found._figures,
        "distance": drift.distance,
        "p_value": drift.p_value,
        "limit": limit,
        "axis": drift.axis,
    }
    yield Reason(EMBEDDING_DRIFT, "run" if reached else "nothing", f"{moved}, {end}", figures)


def _label_drift(found: InUse, limit: float | None) -> Iterator[Reason]:
    drift = found.labels
    if limit is None or drift is None:
        return
    reached = drift.exceeds(limit)
    moved = (
        f"version {found.version} gives {drift.label} to {drift.share_now:.1%} of "
        f"{count(found.images, 'image')} that it was asked about and to {drift.share_before:.1%} "
        f"of {count(found.posters, 'poster')} of its own data: Cohen's h is {drift.h:.2f}"
    )
    by_chance, key = f"{drift.by_chance:.2f}", "retrain.in_use.max_label_drift"
    end = beside_limit(drift.h, limit, reached, by_chance, key)
    figures = {**found._figures, "limit": limit, **dataclasses.asdict(drift)}
    yield Reason(LABEL_DRIFT, "run" if reached else "nothing", f"{moved}, {end}", figures)
