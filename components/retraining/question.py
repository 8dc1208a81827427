"""What a decision is asked about: where things lie, and with which settings they are looked at."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from components.retraining.settings import RetrainSettings
from components.spans.settings import WindowSetting


@dataclasses.dataclass(frozen=True)
class Question:
    """Everything that is not found by looking.

    Attributes:
      data_root: what ingest wrote; a folder, or an address on a store.
      window: which spans a run would train on.
      exclude_spans: numbers of spans that are left out.
      models_folder: where pushed versions lie.
      decisions_folder: where decisions are kept.
      accepted_folder: where the data gate keeps what it let through and what it refused.
      gate_basis: digest of what the gate decides by, besides the data; see `gate.basis`.
      training_basis: digest of the settings that decide what comes of the same spans.
      image_feature: name of the feature with the encoded image.
      min_label_posters: see `decision.decide`.
      settings: the limits.
    """

    data_root: str
    window: WindowSetting
    exclude_spans: tuple[int, ...]
    models_folder: str
    decisions_folder: str
    accepted_folder: str
    gate_basis: str
    training_basis: str
    image_feature: str
    min_label_posters: int
    settings: RetrainSettings

    def to_json(self) -> dict[str, Any]:
        """JSON values; `from_json` reads them."""
        return TypeAdapter(Question).dump_python(self, mode="json")


def from_json(content: str | Mapping[str, Any]) -> Question:
    """Reads what `Question.to_json` gave, or its text."""
    content = json.loads(content) if isinstance(content, str) else content
    return TypeAdapter(Question).validate_python(content)
