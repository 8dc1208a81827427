import json

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from components.errors import PostersError
from pipeline.runners.kubeflow_local.placeholders import fill, stands_for_nothing

_MODEL = {"name": "a/1", "uri": "/m", "metadata": {"step": 3, "by": "x"}}


def _given(**parameters):
    content = {
        "inputs": {
            "parameterValues": parameters,
            "artifacts": {
                "model": {"artifacts": [_MODEL]},
                "baseline": {"artifacts": []},
            },
        },
        "outputs": {"artifacts": {"report": {"artifacts": [{"uri": "/r"}]}}},
    }
    return json_format.ParseDict(content, spec_pb2.ExecutorInput())


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.one_of(st.text(), st.booleans(), st.floats(-1e9, 1e9))))
def test_the_whole_input_comes_through_as_json(parameters):
    given = _given(**parameters)
    filled = fill("{{$}}", given)
    assert "\n" not in filled
    assert json_format.Parse(filled, spec_pb2.ExecutorInput()) == given
    assert json.loads(filled)["inputs"].get("parameterValues", {}) == parameters


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain {text} with {{braces}}", "plain {text} with {{braces}}"),
        ("--model={{$.inputs.artifacts['model'].uri}}/x", "--model=/m/x"),
        ("{{$.inputs.artifacts['model'].name}}", "a/1"),
        ("{{$.inputs.artifacts['model'].metadata['by']}}", "x"),
        ("{{$.inputs.artifacts['model'].metadata['step']}}", "3"),
        ("{{$.outputs.artifacts['report'].uri}}", "/r"),
        ("{{$.inputs.parameters['rate']}}:{{$.inputs.parameters['why']}}", "0.5:because"),
    ],
)
def test_what_a_command_leaves_open_is_filled_in(text, wanted):
    assert fill(text, _given(rate=0.5, why="because")) == wanted


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{$.inputs.parameters['rate']}}", "not given"),
        ("{{$.inputs.artifacts['schema'].uri}}", "not given"),
        ("{{$.inputs.artifacts['baseline'].uri}}", "not given"),
        ("{{$.inputs.artifacts['model'].metadata['size']}}", "metadata that there is not"),
        ("{{$.inputs.artifacts['model'].value}}", "not known"),
        ("{{$.pipeline_job_name}}", "not known"),
    ],
)
def test_what_cannot_be_filled_in_is_named(text, problem):
    with pytest.raises(PostersError, match=problem) as error:
        fill(text, _given())
    assert text in str(error.value)


def test_a_query_for_what_no_resolver_found_stands_for_nothing():
    given = _given()
    assert stands_for_nothing("name={{$.inputs.artifacts['baseline'].metadata['id']}}", given)
    assert not stands_for_nothing("name={{$.inputs.artifacts['model'].metadata['id']}}", given)
    assert not stands_for_nothing("name={{$.inputs.artifacts['absent'].uri}}", given)
    assert not stands_for_nothing("state=LIVE", given)
