import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.runners import difference
from tests import jobs

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def test_what_changed_came_and_went_is_named_by_its_path():
    before, after = jobs.job(), jobs.job()
    executors = after["pipelineSpec"]["deploymentSpec"]["executors"]
    executors["First_executor"]["container"]["image"] = "x/y:2"
    after["labels"] = {"team": "films"}
    assert difference.lines(before, after) == [
        '+ labels.team: "films"',
        '- labels.window: "span-1"',
        "  pipelineSpec.deploymentSpec.executors.First_executor.container.image: "
        f'"{jobs.IMAGE}" -> "x/y:2"',
    ]


def test_settings_inside_a_text_are_compared_one_by_one():
    def job(rate):
        return {"custom_config": json.dumps({"settings": {"rate": rate, "epochs": 30}})}

    assert difference.lines(job(0.1), job(0.5)) == ["  custom_config.settings.rate: 0.1 -> 0.5"]


def test_a_text_that_only_looks_like_json_is_a_text():
    assert difference.lines({"a": "{{$}}"}, {"a": "{{$.x}}"}) == ['  a: "{{$}}" -> "{{$.x}}"']


def test_long_values_are_cut():
    (line,) = difference.lines({}, {"a": "x" * 500})
    assert len(line) < 80
    assert line.endswith("...")


@given(VALUES)
@settings(max_examples=50)
def test_nothing_differs_from_itself(value):
    assert difference.lines({"a": value}, {"a": value}) == []


@given(st.dictionaries(st.text(st.characters(categories=["L"]), min_size=1), st.integers()))
def test_every_value_that_went_is_a_line(values):
    assert len(difference.lines(values, {})) == len(values)
