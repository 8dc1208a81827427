"""The limits of the gate, as a person sets them in the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, field_validator
from pydantic.dataclasses import dataclass

_Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, config={"extra": "forbid"})
class BySplit:
    """A number of examples for each split, each >= 0."""

    train: _Count
    eval: _Count
    test: _Count


@dataclass(frozen=True, config={"extra": "forbid"})
class LabelMinimum(BySplit):
    """Examples that every label of the vocabulary must have, by split."""

    train: _Count = 1
    eval: _Count = 1
    test: _Count = 1


@dataclass(frozen=True, config={"extra": "forbid"})
class SplitMinimum(BySplit):
    """Examples that a split must have."""

    train: _Count = 10
    eval: _Count = 10
    test: _Count = 10


@dataclass(frozen=True, config={"extra": "forbid"})
class GateSettings:
    """When data is good enough to train on. What the schema forbids is an anomaly.

    Attributes:
      min_examples: fewest examples in each split, over all spans that are trained on. An empty
        split is refused whatever this says.
      min_examples_by_label: fewest examples of each label of the vocabulary, in each split, over
        all spans that are trained on. Without one in train a label cannot be learned, without one
        in eval it gets no threshold, without one in test its quality is unknown.
      max_unknown_labels: how often labels outside the vocabulary may occur in a split of the new
        spans. They count for nothing in training, so that an example seems to lack a label that it
        has.
      allowed_anomalies: by kind, how many anomalies may stand: one is one feature in one split.
        Kinds are those of TFDV, such as INT_TYPE_BIG_INT; a refusal names them. Others: none.
      min_share_of_previous: fewest examples in a new span, over all splits and in each, as a share
        of the median of the last five spans accepted; in [0, 1]. The first span accepted does not
        count: it holds a whole catalogue, and later ones what was added. So nothing is compared
        before there are two. Fewer that chance alone explains stop nothing. 0 switches it off.
      max_label_drift: largest change since the spans accepted last of one label's share of all
        labels given in train, in [0, 1]; None takes the schema's drift_comparator.
      override: a person's reason to go on whatever the gate finds, kept with the run; None for the
        gate to decide. `posters run --allow-anomalies` sets it for one run.
    """

    min_examples: SplitMinimum = Field(default_factory=SplitMinimum)
    min_examples_by_label: LabelMinimum = Field(default_factory=LabelMinimum)
    max_unknown_labels: _Count = 0
    allowed_anomalies: Mapping[str, _Count] = Field(default_factory=dict)
    min_share_of_previous: Annotated[float, Field(ge=0, le=1)] = 0.7
    max_label_drift: Annotated[float, Field(ge=0, le=1)] | None = None
    override: str | None = None

    @field_validator("allowed_anomalies")
    @classmethod
    def _are_known(cls, kinds: Mapping[str, int]) -> Mapping[str, int]:
        from tensorflow_metadata.proto.v0 import anomalies_pb2  # only who sets this waits for it

        known = anomalies_pb2.AnomalyInfo.Type.keys()
        if unknown := [kind for kind in kinds if kind not in known]:
            raise ValueError(f"{len(unknown)} of the names are no kind of anomaly in TFDV")
        return kinds

    @field_validator("override")
    @classmethod
    def _has_a_reason(cls, reason: str | None) -> str | None:
        if reason is None:
            return None
        reason = " ".join(reason.split())
        if not reason:
            raise ValueError("must say why: a reason in words, which is kept with the run")
        return reason
