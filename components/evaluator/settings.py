"""The blessing rules and the slices, as a person sets them in the configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic.dataclasses import dataclass

_Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, config={"extra": "forbid"})
class EvaluatorSettings:
    """When a model is good enough to be pushed, and by what the test split is cut for display.

    A fall against the last blessed model counts if it is larger than its limit and not noise: the
    bootstrap interval of the difference, on the same examples, lies below zero.

    Attributes:
      min_macro_f1_lift: the floor: macro-F1 must be at least this many times the macro-F1 of
        answering yes to every label. A model that learned nothing has a lift of about 1.
      max_chance_p_value: macro AUC must be above that of shuffled labels, but for at most this
        share of the shuffles.
      max_macro_f1_drop: macro-F1 may be at most this much below the last blessed model's, over the
        labels that both know. Differences below about 0.01 are noise on a thousand examples.
      max_label_f1_drop: the same of one label's F1.
      min_label_support: labels with fewer positives in the test split never refuse a model.
      slices: what the figures are also shown by: `label`, `decade` (of the year), `label_count`,
        `image_size` (the shorter side), or any feature of the examples by its name.
    """

    min_macro_f1_lift: Annotated[float, Field(ge=1)] = 1.1
    max_chance_p_value: Annotated[float, Field(gt=0, lt=1)] = 0.01
    max_macro_f1_drop: _Share = 0.01
    max_label_f1_drop: _Share = 0.1
    min_label_support: Annotated[int, Field(ge=1)] = 30
    slices: tuple[str, ...] = ("label", "decade", "label_count", "image_size")

    @field_validator("slices")
    @classmethod
    def _each_once(cls, slices: tuple[str, ...]) -> tuple[str, ...]:
        if repeated := sorted({name for name in slices if slices.count(name) > 1}):
            raise ValueError(f"name each slice once; {', '.join(repeated)} stands twice or more")
        return slices
