"""Which model the new one must not fall behind, and whether it can be asked."""

from __future__ import annotations

from collections.abc import Sequence

import ml_metadata as mlmd
import numpy as np
import tensorflow as tf
from tfx import types
from tfx.dsl.components.common.resolver import ResolverStrategy
from tfx.utils import path_utils

from components.pusher.pushes import models_by_push
from components.trainer import export

#: What TensorFlow and a model's files fail with when it cannot be loaded or asked.
_UNUSABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, tf.errors.OpError)


class LatestOtherPushedModel(ResolverStrategy):
    """The model that serves, unless it is the candidate itself; then the one that served before.

    What is pushed was blessed and serves. After a rollback it is the model that was rolled back to.
    TFX's own strategy takes the latest blessed model, whatever it is. Run twice with nothing
    changed, it compares a model with itself, and Evaluator and Pusher run again for it.
    """

    def __init__(self, models_folder: str) -> None:
        """Takes the folder of pushed versions."""
        self._models_folder = models_folder

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Resolves `model` and `pushed_model`, given also `candidate`.

        Args:
          store: says which model a push was of.
          input_dict: `candidate`, the model in question, at most one; `model` and `pushed_model`,
            all there are.

        Returns:
          The same keys. `model` holds one artifact, or none if no other model was ever pushed that
          shares a label with the candidate; `pushed_model` none, so that a model pushed anew is
          the same answer.
        """
        candidates = input_dict["candidate"]
        own = {candidate.id for candidate in candidates}
        wanted = {label for candidate in candidates for label in labels_of(candidate.uri) or ()}
        models = {model.id: model for model in input_dict["model"]}
        pushes = models_by_push(store, input_dict["pushed_model"], self._models_folder)
        fitting = (
            models[model_id]
            for model_id in pushes
            if model_id in models
            and model_id not in own
            and wanted.intersection(labels_of(models[model_id].uri) or ())
        )
        found = next(fitting, None)
        return {
            "candidate": candidates,
            "model": [found] if found else [],
            "pushed_model": [],
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
