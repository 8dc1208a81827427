"""Which model the new one must not fall behind."""

from __future__ import annotations

from collections.abc import Iterable

import ml_metadata as mlmd
import tensorflow as tf
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.common.resolver import ResolverStrategy
from tfx.utils import path_utils

from components.trainer import export


class LatestOtherBlessedModel(ResolverStrategy):
    """The latest blessed model that is not the candidate itself and has the candidate's labels.

    TFX's own strategy takes the latest blessed model, whatever it is. Run twice with nothing
    changed, it compares a model with itself, and Evaluator and Pusher run again for it.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Resolves `model` and `model_blessing`, given also `candidate`.

        Args:
          store: unused; the artifacts say enough.
          input_dict: `candidate`, the model in question, at most one; `model` and `model_blessing`,
            all there are.

        Returns:
          The same keys. `model` and `model_blessing` hold one artifact each, or none if no other
          model was ever blessed.
        """
        del store
        candidates = input_dict["candidate"]
        blessings = blessings_by_model(input_dict["model_blessing"])
        own = {candidate.id for candidate in candidates}
        labels = [_labels(candidate) for candidate in candidates]
        for model in sorted(input_dict["model"], key=lambda artifact: artifact.id, reverse=True):
            if model.id in blessings and model.id not in own and _labels(model) in labels:
                return {
                    "candidate": candidates,
                    "model": [model],
                    "model_blessing": [blessings[model.id]],
                }
        return {"candidate": candidates, "model": [], "model_blessing": []}


def blessings_by_model(artifacts: Iterable[types.Artifact]) -> dict[int, types.Artifact]:
    """Those of the Evaluator's verdicts that bless, by the id of the model they are about."""
    return {
        verdict.get_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY): verdict
        for verdict in artifacts
        if verdict.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY) == 1
    }


def _labels(model: types.Artifact) -> list[str] | None:
    """A model's labels in order, or nothing if it no longer lies where it was written."""
    try:
        return export.read_description(path_utils.serving_model_path(model.uri))["labels"]
    except (OSError, ValueError, tf.errors.OpError):
        return None
