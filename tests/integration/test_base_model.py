"""Which model a warm start goes on from, as ML Metadata tells it."""

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.types import standard_artifacts

from components.trainer.base_model import LatestBlessedOfAnotherTraining, digest


@pytest.fixture
def history():
    """Trainings in a store in memory: of which examples, with which settings, blessed or not."""

    class History:
        def __init__(self):
            config = metadata_store_pb2.ConnectionConfig()
            config.fake_database.SetInParent()
            self.store = ml_metadata.MetadataStore(config)
            self.types = {
                name: self.store.put_artifact_type(metadata_store_pb2.ArtifactType(name=name))
                for name in ("Examples", "Model")
            }
            self.trainer = self.store.put_execution_type(
                metadata_store_pb2.ExecutionType(name="Trainer")
            )
            self.models, self.blessings = [], []

        def artifact(self, kind):
            [made] = self.store.put_artifacts(
                [metadata_store_pb2.Artifact(type_id=self.types[kind])]
            )
            return made

        def train(self, examples, config, blessed=True):
            execution = metadata_store_pb2.Execution(type_id=self.trainer)
            execution.custom_properties["custom_config"].string_value = config
            [execution_id] = self.store.put_executions([execution])
            model = standard_artifacts.Model()
            model.id = self.artifact("Model")
            self._event(execution_id, examples, "examples", metadata_store_pb2.Event.INPUT)
            self._event(execution_id, model.id, "model", metadata_store_pb2.Event.OUTPUT)
            blessing = standard_artifacts.ModelBlessing()
            blessing.set_int_custom_property("blessed", int(blessed))
            blessing.set_int_custom_property("current_model_id", model.id)
            self.models.append(model)
            self.blessings.append(blessing)
            return model.id

        def _event(self, execution, artifact, key, kind):
            event = metadata_store_pb2.Event(
                artifact_id=artifact, execution_id=execution, type=kind
            )
            event.path.steps.add().key = key
            event.path.steps.add().index = 0
            self.store.put_events([event])

        def base(self, examples, config):
            given = standard_artifacts.Examples()
            given.id = examples
            resolved = LatestBlessedOfAnotherTraining(digest(config)).resolve_artifacts(
                self.store,
                {"examples": [given], "model": self.models, "model_blessing": self.blessings},
            )
            assert resolved["examples"] == [given]
            assert len(resolved["model"]) == len(resolved["model_blessing"])
            return resolved["model"][0].id if resolved["model"] else None

    return History()


def test_at_first_there_is_none(history):
    assert history.base(history.artifact("Examples"), "a") is None


def test_it_is_the_latest_blessed_one(history):
    examples = history.artifact("Examples")
    history.train(examples, "a")
    second = history.train(examples, "b")
    history.train(examples, "c", blessed=False)
    assert history.base(examples, "d") == second


def test_run_again_unchanged_a_training_starts_where_it_started_before(history):
    examples = history.artifact("Examples")
    assert history.base(examples, "a") is None
    first = history.train(examples, "a")
    assert history.base(examples, "a") is None
    assert history.base(examples, "b") == first
    history.train(examples, "b")
    assert history.base(examples, "b") == first


def test_the_same_settings_go_on_when_the_examples_are_others(history):
    examples, more = history.artifact("Examples"), history.artifact("Examples")
    first = history.train(examples, "a")
    assert history.base(more, "a") == first
