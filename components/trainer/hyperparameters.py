"""The settings that a search may choose, as flat values and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from components.errors import PostersError
from components.trainer.settings import TrainerSettings

Value = int | float | str

#: What may be chosen, dotted as in a configuration, under `trainer`.
KEYS = (
    "loss",
    "epochs",
    "learning_rate",
    "weight_decay",
    "label_smoothing",
    "ema",
    "head.hidden_units",
    "head.dropout",
)


def encode(value: Any) -> Value:
    """A setting as a search takes it: numbers as they are, all else as JSON text."""
    return value if isinstance(value, int | float) else json.dumps(value, sort_keys=True)


def read(settings: TrainerSettings) -> dict[str, Value]:
    """The encoded value of every key that may be chosen."""
    values = {}
    for key in KEYS:
        value: Any = settings
        for name in key.split("."):
            value = getattr(value, name)
        values[key] = encode(value)
    return values


def apply(settings: TrainerSettings, values: Mapping[str, Value]) -> TrainerSettings:
    """Settings with some of them chosen otherwise.

    Args:
      settings: as given.
      values: encoded, by key, as `read` gives them; keys left out stay as given.

    Raises:
      PostersError: a key is none of `KEYS`.
    """
    fields = dataclasses.asdict(settings)
    for key, value in values.items():
        if key not in KEYS:
            raise PostersError(
                f"the Tuner's best hyperparameters hold {key}, which is no setting of the Trainer "
                f"that may be chosen ({', '.join(KEYS)}): run the Tuner again."
            )
        *parents, last = key.split(".")
        target = fields
        for parent in parents:
            target = target[parent]
        target[last] = json.loads(value) if isinstance(value, str) else value
    return TrainerSettings(**fields)


def changes(given: TrainerSettings, used: TrainerSettings) -> dict[str, dict[str, Any]]:
    """What was chosen otherwise, by key: {"given": ..., "used": ...}, JSON values."""
    before, after = read(given), read(used)
    return {
        key: {"given": decode(before[key]), "used": decode(after[key])}
        for key in KEYS
        if before[key] != after[key]
    }


def decode(value: Value) -> Any:
    """What `encode` was given."""
    return json.loads(value) if isinstance(value, str) else value
