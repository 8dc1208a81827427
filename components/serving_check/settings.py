"""What a model must keep to before it is pushed, as a person sets it in the configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass


@dataclass(frozen=True, config={"extra": "forbid"})
class ServingCheckSettings:
    """Budgets of a model that is asked as a server would ask it, on the machine that checks.

    Attributes:
      posters: how many images of the test split it is asked about.
      max_score_difference: how far a score may be from what the Evaluator got for the same image.
        Another processor or batch size gives other last bits, far below 1e-4.
      max_latency_ms: how long one image may take, the median of several requests, milliseconds.
      max_memory_mb: the largest resident size of a process that loads and asks the model, 2**20
        bytes. TensorFlow alone takes about 500.
      timeout_s: how long loading and all requests may take, seconds.
    """

    posters: Annotated[int, Field(ge=1, le=1000)] = 16
    max_score_difference: Annotated[float, Field(ge=0, le=1)] = 1e-4
    max_latency_ms: Annotated[float, Field(gt=0)] = 2000
    max_memory_mb: Annotated[float, Field(gt=0)] = 4096
    timeout_s: Annotated[float, Field(gt=0)] = 300
