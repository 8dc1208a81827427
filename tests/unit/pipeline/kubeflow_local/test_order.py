import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from components.errors import PostersError
from pipeline.runners.kubeflow_local import order


def _tasks(needs):
    return {
        name: spec_pb2.PipelineTaskSpec(dependent_tasks=needed) for name, needed in needs.items()
    }


def test_a_task_waits_for_what_it_names_and_for_what_it_takes():
    task = spec_pb2.PipelineTaskSpec(dependent_tasks=["gate"])
    task.inputs.artifacts["model"].task_output_artifact.producer_task = "trainer"
    task.inputs.artifacts["own"].component_input_artifact = "model"
    task.inputs.parameters["rate"].task_output_parameter.producer_task = "tuner"
    task.inputs.parameters["status"].task_final_status.producer_task = "dag"
    assert order.upstream(task) == {"gate", "trainer", "tuner", "dag"}


@settings(deadline=None)
@given(st.lists(st.sets(st.integers(0, 7)), max_size=8))
def test_every_task_comes_after_those_it_waits_for(needs):
    earlier_only = {
        str(place): [str(other) for other in needed if other < place]
        for place, needed in enumerate(needs)
    }
    found = order.in_order(_tasks(earlier_only))
    assert sorted(found) == sorted(earlier_only)
    for name, needed in earlier_only.items():
        assert all(found.index(other) < found.index(name) for other in needed)


def test_a_choice_is_by_name():
    assert order.in_order(_tasks({"c": [], "b": ["c"], "a": ["c"]})) == ["c", "a", "b"]


def test_a_task_that_is_not_there_is_named():
    with pytest.raises(PostersError, match="trainer waits for transform"):
        order.in_order(_tasks({"trainer": ["transform"]}))


def test_a_circle_is_named():
    with pytest.raises(PostersError, match="a, b wait for each other"):
        order.in_order(_tasks({"a": ["b"], "b": ["a"], "c": []}))
