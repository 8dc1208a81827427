"""Which models were pushed, in the order that a server took them up."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx import types

from components.pusher.component import DESTINATION, PUSHED, VERSION

_MODEL = "model"


def models_by_push(
    store: mlmd.MetadataStore, pushed: Iterable[types.Artifact], models_folder: str
) -> dict[int, types.Artifact]:
    """The models that were pushed to a folder: the one that serves first, then the one before it.

    A server takes the highest version. A model that was pushed several times, as one that was
    rolled back to, counts by its last.

    Args:
      store: says which model a push was of.
      pushed: PushedModel artifacts, all there are.
      models_folder: where versions lie.

    Returns:
      By a model's id its last push.
    """
    versions = [
        artifact
        for artifact in pushed
        if artifact.get_int_custom_property(PUSHED)
        and posixpath.dirname(artifact.get_string_custom_property(DESTINATION)) == models_folder
    ]
    versions.sort(key=lambda artifact: int(artifact.get_string_custom_property(VERSION)))
    models = models_of(store, [artifact.id for artifact in versions])
    found: dict[int, types.Artifact] = {}
    for artifact in reversed(versions):
        if artifact.id in models:
            found.setdefault(models[artifact.id], artifact)
    return found


def models_of(store: mlmd.MetadataStore, pushed_ids: Iterable[int]) -> Mapping[int, int]:
    """By the id of a PushedModel artifact, that of the model it was made from."""
    made = {
        event.execution_id: event.artifact_id
        for event in store.get_events_by_artifact_ids(list(pushed_ids))
        if event.type == metadata_store_pb2.Event.OUTPUT
    }
    return {
        made[event.execution_id]: event.artifact_id
        for event in store.get_events_by_execution_ids(list(made))
        if event.type == metadata_store_pb2.Event.INPUT
        and any(step.key == _MODEL for step in event.path.steps)
    }
