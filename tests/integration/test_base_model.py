"""Which model a warm start goes on from, as ML Metadata tells it."""

import itertools

import pytest
from tfx.types import standard_artifacts

from components.trainer.base_model import LatestPushedOfAnotherTraining, digest
from tests.model_history import MODELS, ModelHistory


@pytest.fixture
def history():
    """Trainings, each pushed at once unless it was refused."""

    class History(ModelHistory):
        versions = itertools.count(1)

        def train(self, examples, config, blessed=True):
            model = super().train(examples, config)
            self.push(model, next(self.versions), pushed=int(blessed))
            return model.id

        def examples(self):
            return self.artifact("Examples")

        def base(self, examples, config):
            given = standard_artifacts.Examples()
            given.id = examples
            resolved = LatestPushedOfAnotherTraining(digest(config), MODELS).resolve_artifacts(
                self.store,
                {"examples": [given], "model": self.models, "pushed_model": self.pushed()},
            )
            assert resolved["examples"] == [given]
            assert resolved["pushed_model"] == []
            return resolved["model"][0].id if resolved["model"] else None

    return History()


def test_at_first_there_is_none(history):
    assert history.base(history.examples(), "a") is None


def test_it_is_the_one_pushed_last(history):
    examples = history.examples()
    first = history.train(examples, "a")
    second = history.train(examples, "b")
    history.train(examples, "c", blessed=False)
    assert history.base(examples, "d") == second
    # Rolled back to.
    history.push(history.models[0], next(history.versions))
    assert history.base(examples, "d") == first


def test_run_again_unchanged_a_training_starts_where_it_started_before(history):
    examples = history.examples()
    assert history.base(examples, "a") is None
    first = history.train(examples, "a")
    assert history.base(examples, "a") is None
    assert history.base(examples, "b") == first
    history.train(examples, "b")
    assert history.base(examples, "b") == first


def test_the_same_settings_go_on_when_the_examples_are_others(history):
    examples, more = history.examples(), history.examples()
    first = history.train(examples, "a")
    assert history.base(more, "a") == first
