"""Which model a warm start goes on from."""

from __future__ import annotations

import hashlib

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.dsl.components.common.resolver import ResolverStrategy

from components.pusher.pushes import models_by_push

_CUSTOM_CONFIG = "custom_config"


def digest(custom_config: str) -> str:
    """Of the Trainer's `custom_config`, as ML Metadata keeps it."""
    return hashlib.sha256(custom_config.encode()).hexdigest()


class LatestPushedOfAnotherTraining(ResolverStrategy):
    """The model pushed last that was not made of the same examples with the same settings.

    TFX's own strategy takes the latest, whatever it is. Run again with nothing changed, the Trainer
    would go on from its own model each time, and nothing would ever be cached.
    """

    def __init__(self, config_digest: str, models_folder: str) -> None:
        """Takes `digest` of the settings to be trained with, and the folder of pushed versions."""
        self._config_digest = config_digest
        self._models_folder = models_folder

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Resolves `model` and `pushed_model`; every other key names what is trained on.

        Args:
          store: says what made which model.
          input_dict: `model` and `pushed_model`, all there are; `examples`, `transform_graph`, and
            `hyperparameters` if there are any, as the Trainer will be given them.

        Returns:
          The same keys. `model` holds one artifact or none, `pushed_model` none.
        """
        given = {
            key: {artifact.id for artifact in artifacts}
            for key, artifacts in input_dict.items()
            if key not in ("model", "pushed_model")
        }
        models = {model.id: model for model in input_dict["model"]}
        pushes = models_by_push(store, input_dict["pushed_model"], self._models_folder)
        for model in (models[model_id] for model_id in pushes if model_id in models):
            if not self._is_same_training(store, model, given):
                return {**input_dict, "model": [model], "pushed_model": []}
        return {**input_dict, "model": [], "pushed_model": []}

    def _is_same_training(
        self, store: mlmd.MetadataStore, model: types.Artifact, given: dict[str, set[int]]
    ) -> bool:
        made = [
            event.execution_id
            for event in store.get_events_by_artifact_ids([model.id])
            if event.type == metadata_store_pb2.Event.OUTPUT
        ]
        for execution in store.get_executions_by_id(made):
            config = execution.custom_properties[_CUSTOM_CONFIG].string_value
            if digest(config) == self._config_digest and given == _inputs(
                store, execution.id, given.keys()
            ):
                return True
        return False


def _inputs(store: mlmd.MetadataStore, execution_id: int, keys: set[str]) -> dict[str, set[int]]:
    """Artifacts that an execution was given, by the names of its inputs."""
    found: dict[str, set[int]] = {key: set() for key in keys}
    for event in store.get_events_by_execution_ids([execution_id]):
        key = next((step.key for step in event.path.steps if step.HasField("key")), None)
        if event.type == metadata_store_pb2.Event.INPUT and key in found:
            found[key].add(event.artifact_id)
    return found
