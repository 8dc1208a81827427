"""The Trainer's settings: one definition for the configuration file and for `run_fn`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

Positive = Annotated[int, Field(gt=0)]


@dataclass(frozen=True, config={"extra": "forbid"})
class TrainerSettings:
    """What a person may choose about training.

    Attributes:
      hub_handle: the frozen feature extractor: a TF-Hub address, a folder with a SavedModel in the
        image feature vector form, or `embedded` for the small one that comes with the project.
      epochs: passes over the training split.
      batch_size: examples a step; macro soft-F1 is estimated a batch at a time, so it wants
        batches in which most labels occur.
      learning_rate: Adam's peak rate, decayed to zero along a cosine.
      hidden_units: width of the head's one hidden layer.
      dropout: share of the hidden layer's units dropped at each step.
      seed: of weights, dropout and the order of examples.
    """

    hub_handle: str
    epochs: Positive = 30
    batch_size: Positive = 256
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    hidden_units: Positive = 1024
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    seed: Annotated[int, Field(ge=0)] = 0
