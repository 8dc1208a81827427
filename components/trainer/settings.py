"""The Trainer's settings: one definition for the configuration file and for `run_fn`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
Rate = Annotated[float, Field(gt=0, le=1)]
LossName = Literal["macro_soft_f1", "soft_f1", "double_soft_f1", "bce", "asl", "sigmoid_f1"]
LossWeights = Annotated[
    dict[LossName, Annotated[float, Field(gt=0)]],
    Field(min_length=1),
    BeforeValidator(lambda loss: {loss: 1.0} if isinstance(loss, str) else loss),
]

_STRICT = {"extra": "forbid"}


@dataclass(frozen=True, config=_STRICT)
class HeadSettings:
    """The network on the extractor's features.

    Attributes:
      hidden_units: width of each hidden layer, in order; none at all makes a linear head.
      dropout: share of the last layer's inputs dropped at each step.
      standardize: whether features are brought to mean 0 and deviation 1, as train has them.
      prior_bias: whether the output bias starts at each label's log odds in train, not at zero.
      members: how many such networks are trained side by side, from other weights; their mean logit
        is the model's.
    """

    hidden_units: tuple[Positive, ...] = (512,)
    dropout: Share = 0.7
    standardize: bool = True
    prior_bias: bool = True
    members: Positive = 3


@dataclass(frozen=True, config=_STRICT)
class DecisionSettings:
    """From logits to probabilities and decisions, fitted on the eval split.

    Attributes:
      calibration: `platt` scales every label's logits to probabilities; `none` takes their sigmoid.
      thresholds: `plug_in` is half the best expected F1, `grid` the best smoothed F1 on eval,
        `half` is 0.5 for every label.
    """

    calibration: Literal["platt", "none"] = "platt"
    thresholds: Literal["plug_in", "grid", "half"] = "plug_in"


@dataclass(frozen=True, config=_STRICT)
class FineTuneSettings:
    """The second stage: the extractor's top is trained too, from pixels. Meant for GPUs.

    Seed, loss, label smoothing, weight decay and schedule are the first stage's; warm-up, running
    mean and early stopping are its alone, for here the epoch that ranks eval best is kept.

    Attributes:
      epochs: passes over the training split, after the head's own.
      learning_rate: the extractor's peak rate; the head goes on at the same.
      batch_size: images the loss sees at once, over all devices.
      device_batch_size: images a device passes forward and back at once; memory depends on it, the
        gradient does not.
      trainable_share: share of the extractor's trainable variables that move, counted from its
        top; batch normalisation's never do, and do not count.
      augment: whether training images are mirrored, cropped and recoloured at random.
      mixed_precision: whether half precision is used where a GPU gains by it.
    """

    epochs: Positive = 10
    learning_rate: Rate = 1e-5
    batch_size: Positive = 256
    device_batch_size: Positive = 32
    trainable_share: Annotated[float, Field(gt=0, le=1)] = 0.3
    augment: bool = True
    mixed_precision: bool = True


@dataclass(frozen=True, config=_STRICT)
class TrainerSettings:
    """What a person may choose about training.

    The defaults are what measured best in `bench/quality.py` and around it: on frozen features a
    wide layer that is held down hard, by dropout and by weight decay.

    Attributes:
      hub_handle: the frozen feature extractor: a TF-Hub address, a folder with a SavedModel in the
        image feature vector form, or `embedded` for the small one that comes with the project.
      loss: a loss's name, or names with weights, such as {bce: 4, macro_soft_f1: 1}; their weighted
        sum is minimised. See `losses`.
      epochs: passes of the head over the training split.
      batch_size: examples a step; soft-F1 is estimated a batch at a time, so it wants batches in
        which most labels occur.
      learning_rate: Adam's peak rate.
      schedule: `cosine` decays it to zero, `constant` keeps it.
      warmup_epochs: epochs over which the rate first rises from zero, linearly.
      weight_decay: decoupled (AdamW), of kernels only; a step takes away rate * weight_decay.
      label_smoothing: labels are drawn to 0.5 by this share, in training only.
      ema: decay a step of the running mean of weights that is kept in the end; 0 keeps the last.
      patience: epochs without a better macro AUC on eval after which training stops and the best
        weights are kept; 0 never stops early.
      seed: of weights, dropout and the order of examples.
      head: see `HeadSettings`.
      decision: see `DecisionSettings`.
      fine_tune: see `FineTuneSettings`; absent, the extractor stays frozen.
      warm_start: whether the head starts from the last blessed model's, label by label.
      neighbours: training images kept beside the model with their embeddings and small pictures, to
        be shown as the nearest to a new one; 0 keeps none. Some 6 kB each.
    """

    hub_handle: str
    loss: LossWeights = Field(default_factory=lambda: {"bce": 4.0, "macro_soft_f1": 1.0})
    epochs: Positive = 10
    batch_size: Positive = 256
    learning_rate: Rate = 4e-3
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_epochs: Annotated[int, Field(ge=0)] = 1
    weight_decay: Annotated[float, Field(ge=0)] = 5.0
    label_smoothing: Share = 0.0
    ema: Share = 0.0
    patience: Annotated[int, Field(ge=0)] = 0
    seed: Annotated[int, Field(ge=0)] = 0
    head: HeadSettings = Field(default_factory=HeadSettings)
    decision: DecisionSettings = Field(default_factory=DecisionSettings)
    fine_tune: FineTuneSettings | None = None
    warm_start: bool = False
    neighbours: Annotated[int, Field(ge=0, le=100_000)] = 2000
