"""Which model a new one is compared with."""

import json

import pytest
from tfx.types import standard_artifacts

from components.evaluator.baseline import LatestOtherBlessedModel
from components.trainer import export


@pytest.fixture
def store(tmp_path):
    """Makes artifacts as ML Metadata would hold them: ids grow with time."""

    class Store:
        def __init__(self):
            self.models, self.blessings = [], []

        def add(self, blessed: bool, labels=("Drama", "Comedy"), described: bool = True):
            model = standard_artifacts.Model()
            model.id = len(self.models) + 1
            model.uri = str(tmp_path / str(model.id))
            if described:
                path = tmp_path / str(model.id) / "Format-Serving" / export.DESCRIPTION_FILE
                path.parent.mkdir(parents=True)
                path.write_text(json.dumps({"labels": list(labels)}))
            blessing = standard_artifacts.ModelBlessing()
            blessing.set_int_custom_property("blessed", int(blessed))
            blessing.set_int_custom_property("current_model_id", model.id)
            self.models.append(model)
            self.blessings.append(blessing)
            return model

        def baseline(self, candidate):
            resolved = LatestOtherBlessedModel().resolve_artifacts(
                None,
                {
                    "candidate": [candidate],
                    "model": self.models,
                    "model_blessing": self.blessings,
                },
            )
            assert resolved["candidate"] == [candidate]
            assert len(resolved["model"]) == len(resolved["model_blessing"])
            return resolved["model"][0].id if resolved["model"] else None

    return Store()


def test_the_first_model_has_none(store):
    assert store.baseline(store.add(blessed=False)) is None


def test_it_is_the_latest_blessed_one_and_not_the_latest(store):
    store.add(blessed=True)
    second = store.add(blessed=True)
    store.add(blessed=False)
    assert store.baseline(store.add(blessed=False)) == second.id


def test_a_blessed_candidate_is_not_compared_with_itself(store):
    first = store.add(blessed=True)
    candidate = store.add(blessed=True)
    assert store.baseline(candidate) == first.id
    assert store.baseline(first) == candidate.id


def test_a_model_of_other_labels_is_not_comparable(store):
    first = store.add(blessed=True)
    store.add(blessed=True, labels=("Comedy", "Drama"))
    assert store.baseline(store.add(blessed=False)) == first.id


def test_a_model_whose_files_are_gone_is_passed_over(store):
    first = store.add(blessed=True)
    store.add(blessed=True, described=False)
    assert store.baseline(store.add(blessed=False)) == first.id
