"""Blessing by hand a model that the Evaluator refused, so that it is on the record.

A blessing by hand is an artifact in ML Metadata beside the Evaluator's, of the same type: whatever
looks for blessed models finds it. It says who blessed, when and why, and what was overridden.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_artifacts

from components.paths import to_path
from components.pusher import component as pusher
from pipeline.config import Config

#: The node that makes the blessing.
NODE = "BlessedByHand"
_MODEL_NODE = "RefusedModel"


@dataclasses.dataclass(frozen=True)
class ByHand:
    """One blessing by hand.

    Attributes:
      run: the run whose model it is.
      reason: why, in the person's words.
      user: who.
      time: when, ISO 8601 in UTC.
      overrides: where the Evaluator's refusal lies.
    """

    run: str
    reason: str
    user: str
    time: str
    overrides: str


def create_pipeline(config: Config, model: standard_artifacts.Model, given: ByHand) -> Pipeline:
    """A DAG of the same name that blesses a model and pushes it, like the one that refused it.

    Args:
      config: where things lie.
      model: the refused model, as ML Metadata knows it.
      given: what goes on the record.

    Raises:
      OSError: the blessing cannot be written.
    """
    folder = to_path(f"{config.pipeline_root}/{NODE}/blessing/{given.run}")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / constants.BLESSED_FILE_NAME).open("wb"):
        pass
    imported = Importer(
        source_uri=model.uri, artifact_type=standard_artifacts.Model, reimport=False
    ).with_id(_MODEL_NODE)
    blessing = Importer(
        source_uri=str(folder),
        artifact_type=standard_artifacts.ModelBlessing,
        custom_properties={
            constants.ARTIFACT_PROPERTY_BLESSED_KEY: constants.BLESSED_VALUE,
            constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY: model.uri,
            constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY: model.id,
            **dataclasses.asdict(given),
        },
    ).with_id(NODE)
    push = pusher.Pusher(
        model=imported.outputs["result"],
        model_blessing=blessing.outputs["result"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=config.models_folder)
        ),
    )
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=config.pipeline_root,
        components=[imported, blessing, push],
        enable_cache=False,
    )


def find_model(metadata_path: Path, uri: str) -> standard_artifacts.Model | None:
    """The model artifact at an address, or None if ML Metadata knows none."""
    for artifact in _artifacts(_store(metadata_path), standard_artifacts.Model):
        if artifact.uri == uri:
            model = standard_artifacts.Model()
            model.id, model.uri = artifact.id, artifact.uri
            return model
    return None


def find(metadata_path: Path, model_id: int) -> ByHand | None:
    """The last blessing by hand of a model, or None."""
    names = [field.name for field in dataclasses.fields(ByHand)]
    blessings = _artifacts(_store(metadata_path), standard_artifacts.ModelBlessing)
    for artifact in sorted(blessings, key=lambda artifact: artifact.id, reverse=True):
        found = artifact.custom_properties
        own = found[constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY].int_value == model_id
        if own and found["reason"].string_value:
            return ByHand(**{name: found[name].string_value for name in names})
    return None


def find_pushed(metadata_path: Path, model_id: int) -> types.Artifact | None:
    """The version that a model was pushed as last, or None if it never was."""
    store = _store(metadata_path)
    pushed = [
        artifact
        for artifact in _artifacts(store, standard_artifacts.PushedModel)
        if artifact.custom_properties[pusher.PUSHED].int_value
        and model_id in _made_from(store, artifact.id)
    ]
    if not pushed:
        return None
    [artifact_type] = store.get_artifact_types_by_id([pushed[0].type_id])
    last = max(pushed, key=lambda artifact: artifact.id)
    return artifact_utils.deserialize_artifact(artifact_type, last)


def _store(metadata_path: Path) -> mlmd.MetadataStore:
    return mlmd.MetadataStore(metadata.sqlite_metadata_connection_config(str(metadata_path)))


def _artifacts(
    store: mlmd.MetadataStore, kind: type[types.Artifact]
) -> list[metadata_store_pb2.Artifact]:
    return store.get_artifacts_by_type(kind.TYPE_NAME)


def _made_from(store: mlmd.MetadataStore, artifact_id: int) -> set[int]:
    """Ids of the artifacts that went into the execution which made one."""
    executions = [
        event.execution_id
        for event in store.get_events_by_artifact_ids([artifact_id])
        if event.type == metadata_store_pb2.Event.OUTPUT
    ]
    return {
        event.artifact_id
        for event in store.get_events_by_execution_ids(executions)
        if event.type == metadata_store_pb2.Event.INPUT
    }
