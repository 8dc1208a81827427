"""What the model was made of, and how its training went."""

from __future__ import annotations

import json
from typing import Any

from components import paths
from components.report.charts import learning
from components.report.sources import Sources

#: Beside the SavedModel; see `components.trainer.export`, which imports TensorFlow.
_DESCRIPTION = "assets.extra/model.json"


def describe(sources: Sources, missing: list[str]) -> dict[str, Any] | None:
    """The section of the training.

    Args:
      sources: where the pieces lie.
      missing: takes a sentence for each piece that cannot be read.

    Returns:
      The model's description, and `charts` by name; None if there is no model.
    """
    if sources.model is None:
        missing.append("There is no model: the run ended before the Trainer was done.")
        return None
    path = paths.join(sources.model, _DESCRIPTION)
    try:
        with paths.open_file(path) as file:
            description = json.loads(file.read())
    except (OSError, ValueError) as error:
        missing.append(f"The model's description {path} cannot be read: {error}.")
        return None
    history = description.pop("history", [])
    charts = {}
    if history:
        charts = {"loss": learning.loss(history), "ranking": learning.ranking(history)}
    else:
        missing.append("The model's description has no history, so there are no learning curves.")
    return {**description, "epochs": learning.epochs(history), "charts": charts}
