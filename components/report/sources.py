"""Where the pieces of a run's page lie."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from components.features import Features
from components.spans.record import WindowRecord


@dataclasses.dataclass(frozen=True)
class Sources:
    """What a run left, as far as it came: a piece that is None is said to be missing.

    Attributes:
      settings: the whole configuration, JSON values.
      labels: the vocabulary, in order.
      features: names of the examples' features.
      fingerprints: digests of the code that made the pieces, by package.
      window: which spans were trained on, and which of them were new.
      statistics: StatisticsGen's folder: of the new spans.
      gate_report: folder with the gate's decision.
      test_examples: folder with the test split's TFRecords.
      model: folder of the exported model.
      evaluation: the Evaluator's `evaluation` folder.
      blessing: its `blessing` folder.
      serving: ServingCheck's folder, with what it found.
      pushed_to: folder of the version that was pushed.
    """

    settings: Mapping[str, Any]
    labels: Sequence[str]
    features: Features
    fingerprints: Mapping[str, str]
    window: WindowRecord | None = None
    statistics: str | None = None
    gate_report: str | None = None
    test_examples: str | None = None
    model: str | None = None
    evaluation: str | None = None
    blessing: str | None = None
    serving: str | None = None
    pushed_to: str | None = None
