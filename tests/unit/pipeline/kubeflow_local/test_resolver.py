import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from components.errors import PostersError
from pipeline.runners.kubeflow_local import resolver
from pipeline.runners.kubeflow_local.artifacts import Values
from pipeline.runners.kubeflow_local.store import open_store

_BLESSING = 'schema_title="tfx.ModelBlessing" AND state=LIVE AND metadata.blessed.number_value=1'
_BLESSED = (
    'schema_title="tfx.Model" AND state=LIVE AND '
    "name=\"{{$.inputs.artifacts['input'].metadata['current_model_id']}}\""
)


def _artifact(name, title="Model", **metadata):
    artifact = spec_pb2.RuntimeArtifact(name=name, uri=f"/{name}")
    artifact.type.instance_schema = f"title: tfx.{title}"
    artifact.metadata.update(metadata)
    return artifact


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "state.sqlite") as store:
        yield store


def _resolve(store, queries, given=None, limit=0):
    content = {key: {"filter": query, "limit": limit} for key, query in queries.items()}
    wanted = json_format.ParseDict(
        {"outputArtifactQueries": content}, spec_pb2.PipelineDeploymentConfig.ResolverSpec()
    )
    return resolver.resolve(wanted, given or Values(), store).names()


def _add(store, *artifacts):
    store.record("Task", Values(artifacts={"result": list(artifacts)}))


def test_the_latest_artifact_of_a_type_is_found(store):
    query = {"model": 'schema_title="tfx.Model" AND state=LIVE'}
    assert _resolve(store, query) == {"model": []}
    _add(store, _artifact("first"), _artifact("second"))
    _add(store, _artifact("other", "Schema"))
    assert _resolve(store, query) == {"model": ["second"]}
    assert _resolve(store, query, limit=5) == {"model": ["second", "first"]}


def test_the_latest_blessed_model_is_found_in_two_steps(store):
    for number, blessed in enumerate((1, 1, 0)):
        model = _artifact(f"model-{number}")
        verdict = _artifact(
            f"verdict-{number}", "ModelBlessing", blessed=blessed, current_model_id=model.name
        )
        _add(store, model, verdict)
    assert _resolve(store, {"blessing": _BLESSING}) == {"blessing": ["verdict-1"]}
    (blessing,) = store.latest(resolver.predicate(_BLESSING))
    found = _resolve(store, {"model": _BLESSED}, Values({"input": [blessing]}))
    assert found == {"model": ["model-1"]}


def test_without_a_blessing_there_is_no_blessed_model(store):
    _add(store, _artifact("model"))
    assert _resolve(store, {"model": _BLESSED}, Values({"input": []})) == {"model": []}


def test_text_is_compared_as_text_and_numbers_as_numbers(store):
    _add(store, _artifact("model", steps=1, by="1"))
    for query, found in (
        ("metadata.steps.number_value=1.0", ["model"]),
        ("metadata.by.string_value=1", ["model"]),
        ('metadata.steps.string_value="1"', []),
        ("metadata.by.number_value=1", []),
        ("metadata.none.number_value=1", []),
        ("state=DELETED", []),
    ):
        assert _resolve(store, {"model": query}) == {"model": found}, query


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("state=LIVE OR state=NEW", "of an unknown form"),
        ("create_time=now", "create_time in the query"),
        ("metadata.blessed.bool_value=true", "metadata.blessed.bool_value in the query"),
        ("metadata.blessed.number_value=yes", "'yes' in the query .* is no number"),
        ("", "of an unknown form"),
    ],
)
def test_a_query_of_an_unknown_form_is_named(store, query, problem):
    with pytest.raises(PostersError, match=problem):
        _resolve(store, {"model": query})
