"""Trainings and pushes in a store of ML Metadata in memory."""

import ml_metadata
from ml_metadata.proto import metadata_store_pb2
from tfx.types import artifact_utils, standard_artifacts

MODELS = "/models"


class ModelHistory:
    """Models of which examples, with which settings, and in which order they were pushed."""

    def __init__(self):
        config = metadata_store_pb2.ConnectionConfig()
        config.fake_database.SetInParent()
        self.store = ml_metadata.MetadataStore(config)
        self.types = {
            kind.TYPE_NAME: self.store.put_artifact_type(kind()._artifact_type)
            for kind in (
                standard_artifacts.Examples,
                standard_artifacts.Model,
                standard_artifacts.PushedModel,
            )
        }
        self.trainer, self.pusher = (
            self.store.put_execution_type(metadata_store_pb2.ExecutionType(name=name))
            for name in ("Trainer", "Pusher")
        )
        self.models = []

    def artifact(self, kind, uri="", **properties):
        made = metadata_store_pb2.Artifact(type_id=self.types[kind], uri=uri)
        for name, value in properties.items():
            if isinstance(value, int):
                made.custom_properties[name].int_value = value
            else:
                made.custom_properties[name].string_value = value
        [made_id] = self.store.put_artifacts([made])
        return made_id

    def train(self, examples, config, uri=""):
        execution = metadata_store_pb2.Execution(type_id=self.trainer)
        execution.custom_properties["custom_config"].string_value = config
        [execution_id] = self.store.put_executions([execution])
        model = standard_artifacts.Model()
        model.id, model.uri = self.artifact("Model", uri), uri
        self._event(execution_id, examples, "examples", metadata_store_pb2.Event.INPUT)
        self._event(execution_id, model.id, "model", metadata_store_pb2.Event.OUTPUT)
        self.models.append(model)
        return model

    def push(self, model, version, folder=MODELS, pushed=1):
        [execution_id] = self.store.put_executions(
            [metadata_store_pb2.Execution(type_id=self.pusher)]
        )
        artifact = self.artifact(
            "PushedModel",
            pushed=pushed,
            pushed_destination=f"{folder}/{version}",
            pushed_version=str(version),
        )
        self._event(execution_id, model.id, "model", metadata_store_pb2.Event.INPUT)
        self._event(execution_id, artifact, "pushed_model", metadata_store_pb2.Event.OUTPUT)
        return model

    def pushed(self):
        """Every PushedModel artifact, as a node is given them."""
        [kind] = self.store.get_artifact_types_by_id([self.types["PushedModel"]])
        found = self.store.get_artifacts_by_type("PushedModel")
        return artifact_utils.deserialize_artifacts(kind, found)

    def _event(self, execution, artifact, key, kind):
        event = metadata_store_pb2.Event(artifact_id=artifact, execution_id=execution, type=kind)
        event.path.steps.add().key = key
        event.path.steps.add().index = 0
        self.store.put_events([event])
