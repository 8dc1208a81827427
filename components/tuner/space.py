"""The search space as keras-tuner has it."""

from __future__ import annotations

import keras_tuner

from components.trainer import hyperparameters
from components.trainer.hyperparameters import Value
from components.trainer.settings import TrainerSettings
from components.tuner.settings import SearchSpace


def build(space: SearchSpace, given: TrainerSettings) -> keras_tuner.HyperParameters:
    """What may be tried: the space, in which the given settings always lie.

    Args:
      space: a value that `given` has and the space lacks is added; the range of the learning rate
        is widened to take the given one in.
      given: the Trainer's settings; every default.

    Returns:
      Hyperparameters by the keys of `hyperparameters.KEYS`, encoded as it encodes them. A key with
      nothing to choose from is left out.
    """
    start = hyperparameters.read(given)
    found = keras_tuner.HyperParameters()
    if space.learning_rate is not None:
        rate = given.learning_rate
        found.Float(
            "learning_rate",
            min_value=min(space.learning_rate.low, rate),
            max_value=max(space.learning_rate.high, rate),
            sampling="log",
            default=rate,
        )
    lists = {
        "loss": space.loss,
        "weight_decay": space.weight_decay,
        "label_smoothing": space.label_smoothing,
        "ema": space.ema,
        "head.hidden_units": space.hidden_units,
        "head.dropout": space.dropout,
    }
    for key, values in lists.items():
        choices = _choices([hyperparameters.encode(value) for value in values], start[key])
        if len(choices) > 1:
            found.Choice(key, choices, default=start[key])
    return found


def _choices(values: list[Value], given: Value) -> list[Value]:
    """Without repetition; numbers in order, as keras-tuner takes their places for distances."""
    choices = list(dict.fromkeys([*values, given] if values else [given]))
    return choices if any(isinstance(value, str) for value in choices) else sorted(choices)
