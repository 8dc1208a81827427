"""The Tuner's settings: how much is tried, and among what."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from components.trainer.settings import LossWeights, Positive, Rate, Share

_STRICT = {"extra": "forbid"}


@dataclass(frozen=True, config=_STRICT)
class LogRange:
    """Any value between two, their logarithms being equally likely.

    Attributes:
      low: the least.
      high: the greatest.
    """

    low: Rate
    high: Rate

    @model_validator(mode="after")
    def _ordered(self) -> LogRange:
        if self.low >= self.high:
            raise ValueError("low must be less than high")
        return self


@dataclass(frozen=True, config=_STRICT)
class SearchSpace:
    """What each of the Trainer's settings may become, besides what it is given as.

    An empty list, or null for a range, keeps the given value.

    Attributes:
      loss: names, or names with weights, as `trainer.loss` takes them.
      learning_rate: see `LogRange`.
      weight_decay: values.
      label_smoothing: values.
      ema: values.
      hidden_units: lists of widths; [] is a linear head.
      dropout: values.
    """

    loss: tuple[LossWeights, ...] = Field(
        default=("macro_soft_f1", "double_soft_f1", "bce", {"bce": 4, "macro_soft_f1": 1}),
        validate_default=True,
    )
    learning_rate: LogRange | None = LogRange(1e-4, 1e-2)
    weight_decay: tuple[Annotated[float, Field(ge=0)], ...] = (0.0, 0.3, 1.0, 3.0, 10.0)
    label_smoothing: tuple[Share, ...] = (0.0, 0.1)
    ema: tuple[Share, ...] = (0.0, 0.99)
    hidden_units: tuple[tuple[Positive, ...], ...] = ((512,), (1024,))
    dropout: tuple[Share, ...] = (0.5, 0.65, 0.8)


@dataclass(frozen=True, config=_STRICT)
class TunerSettings:
    """How the Tuner searches.

    Attributes:
      trials: settings tried, the Trainer's own among them.
      epochs: of a trial; the Trainer then trains as long as the trial that won.
      patience: epochs after which a trial that ranks below the median of those before it is
        abandoned; `epochs` or more abandons none.
      confidence: how sure a gain must be, by a bootstrap over the eval split, for the Trainer to
        leave its own settings.
      seed: of what is tried and of the bootstrap; a trial trains with `trainer.seed`.
      space: see `SearchSpace`.
    """

    trials: Annotated[int, Field(ge=2)] = 50
    epochs: Positive = 6
    patience: Positive = 2
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    seed: Annotated[int, Field(ge=0)] = 0
    space: SearchSpace = SearchSpace()
