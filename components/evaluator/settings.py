"""The blessing rules, as a person sets them in the configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass


@dataclass(frozen=True, config={"extra": "forbid"})
class EvaluatorSettings:
    """When a model is good enough to be pushed.

    Attributes:
      min_macro_f1_lift: the floor: macro-F1 must be at least this many times the macro-F1 of
        answering yes to every label. A model that learned nothing has a lift of about 1.
      max_macro_f1_drop: macro-F1 may be at most this much below the last blessed model's, measured
        on the same examples. Differences below about 0.01 are noise on a thousand examples.
    """

    min_macro_f1_lift: Annotated[float, Field(ge=1)] = 1.1
    max_macro_f1_drop: Annotated[float, Field(ge=0, le=1)] = 0.01
