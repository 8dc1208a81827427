"""When it is worth to train again, as a person sets it in the configuration."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

_Positive = Annotated[int, Field(ge=1)]


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
    """

    min_new_posters: _Positive | None = 1000
    min_new_share: Annotated[float, Field(gt=0)] | None = 0.1
    max_label_drift: Annotated[float, Field(gt=0, le=math.pi)] | None = 0.3
    max_embedding_drift: Annotated[float, Field(gt=0, le=1)] | None = 0.25
    max_age_days: Annotated[float, Field(gt=0)] | None = 30.0
    embedding_sample: Annotated[int, Field(ge=50, le=10_000)] = 400
    min_label_posters: _Positive | None = None
