"""When it is worth to train again, as a person sets it in the configuration."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

_Positive = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, config={"extra": "forbid"})
class InUseSettings:
    """Whether what the served model is asked about is still what it was trained on.

    It is read from the log of requests that `posters serve` keeps (`serve.log`). Each limit alone
    is a reason, None switches it off.

    Attributes:
      folder: that of the log, or an address on a store; None takes `serve.log.folder`.
      min_images: different images that the served version must have been asked about; fewer are no
        reason.
      max_images: how many are looked at, the newest, at most.
      max_embedding_drift: as `RetrainSettings.max_embedding_drift`, of images asked about.
      max_label_drift: as `RetrainSettings.max_label_drift`, of the labels that the model gives to
        them, from those that it gives to posters of eval.
    """

    folder: Annotated[str, Field(min_length=1)] | None = None
    min_images: Annotated[int, Field(ge=50, le=100_000)] = 200
    max_images: Annotated[int, Field(ge=50, le=100_000)] = 2000
    max_embedding_drift: Annotated[float, Field(gt=0, le=1)] | None = 0.25
    max_label_drift: Annotated[float, Field(gt=0, le=math.pi)] | None = 0.3

    @model_validator(mode="after")
    def _enough_are_looked_at(self) -> InUseSettings:
        if self.max_images < self.min_images:
            raise ValueError(
                f"max_images is {self.max_images} and must be at least min_images, "
                f"{self.min_images}: else there would always be too few"
            )
        return self


@dataclass(frozen=True, config={"extra": "forbid"})
class RetrainSettings:
    """The limits of `posters retrain`; each of them alone is a reason, None switches it off.

    Whatever they say, nothing is trained unless there are posters that the served model has not
    seen; and a label that the vocabulary gained is always a reason.

    Attributes:
      min_new_posters: posters that the served model was not trained on, in all splits.
      min_new_share: the same as a share of those that it was trained on; above 0.
      max_label_drift: largest change of one label's share of the posters, as Cohen's h, in 0..pi:
        0.2 is small, 0.5 medium, 0.8 large. See `label_drift`.
      max_embedding_drift: largest Kolmogorov-Smirnov distance between what the extractor makes of
        new posters and of those before, in [0, 1]. See `embedding_drift`.
      max_age_days: days since the served model was trained.
      embedding_sample: how many new posters are looked at for that, at most.
      min_label_posters: posters of train with a label outside the vocabulary from which on a person
        is told to let the vocabulary grow; None takes `ingest.min_label_count`.
      in_use: see `InUseSettings`; None does not look at requests.
    """

    min_new_posters: _Positive | None = 1000
    min_new_share: Annotated[float, Field(gt=0)] | None = 0.1
    max_label_drift: Annotated[float, Field(gt=0, le=math.pi)] | None = 0.3
    max_embedding_drift: Annotated[float, Field(gt=0, le=1)] | None = 0.25
    max_age_days: Annotated[float, Field(gt=0)] | None = 30.0
    embedding_sample: Annotated[int, Field(ge=50, le=10_000)] = 400
    min_label_posters: _Positive | None = None
    in_use: InUseSettings | None = None
