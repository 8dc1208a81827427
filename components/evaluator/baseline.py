"""Which model the new one must not fall behind, and whether it can be asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import ml_metadata as mlmd
import numpy as np
import tensorflow as tf
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.common.resolver import ResolverStrategy
from tfx.utils import path_utils

from components.trainer import export

#: What TensorFlow and a model's files fail with when it cannot be loaded or asked.
_UNUSABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, tf.errors.OpError)


class LatestOtherBlessedModel(ResolverStrategy):
    """The latest blessed model that is not the candidate itself and shares a label with it.

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
        wanted = {label for candidate in candidates for label in labels_of(candidate.uri) or ()}
        for model in sorted(input_dict["model"], key=lambda artifact: artifact.id, reverse=True):
            if model.id in own or model.id not in blessings:
                continue
            if wanted.intersection(labels_of(model.uri) or ()):
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


def labels_of(model_uri: str) -> list[str] | None:
    """A model's labels in order, or None if it no longer lies where it was written."""
    try:
        return export.read_description(path_utils.serving_model_path(model_uri))["labels"]
    except _UNUSABLE:
        return None


def why_not_comparable(model_uri: str, labels: Sequence[str]) -> str | None:
    """Why a baseline cannot be compared with, as far as its description says, or None if it can.

    Args:
      model_uri: the baseline's.
      labels: the new model's.
    """
    known = labels_of(model_uri)
    if known is None:
        return f"the last blessed model cannot be read at {model_uri}"
    if not set(known) & set(labels):
        return f"the last blessed model, {model_uri}, has none of this model's labels"
    return None


def why_silent(model_uri: str, example: bytes) -> str | None:
    """Asks a baseline about one example: why it does not answer as it should, or None if it does.

    Such a model would stop every run after it, since only a run can bless another.

    Args:
      model_uri: the baseline's.
      example: serialized.
    """
    try:
        model = tf.saved_model.load(path_utils.serving_model_path(model_uri))
        answer = model.signatures[export.SERVING_EXAMPLES](examples=tf.constant([example]))
        shape = np.shape(answer["scores"])
    except _UNUSABLE as error:
        reason = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        return f"the last blessed model, {model_uri}, does not answer ({reason})"
    if shape != (1, len(labels_of(model_uri) or ())):
        return f"the last blessed model, {model_uri}, gives scores of the shape {shape}"
    return None
