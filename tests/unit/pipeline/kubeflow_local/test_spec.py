import pytest
import yaml

from components.errors import PostersError
from pipeline.runners.kubeflow_local import spec
from pipeline.runners.kubeflow_local.artifacts import plain
from tests import kubeflow_jobs as jobs


def test_a_job_is_read_as_it_was_compiled(tmp_path):
    job = jobs.read(jobs.job({"Task": jobs.container("pass", {"model": "Model"})}), tmp_path)
    assert job.name == "posters"
    task = job.root.dag.tasks["Task"]
    assert list(job.component(task).output_definitions.artifacts) == ["model"]
    assert job.executor(task).container.command[0] == "python"


def test_the_specification_alone_is_read_from_yaml(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump(jobs.job({"Task": jobs.container()})["pipelineSpec"]))
    assert list(spec.read(path).root.dag.tasks) == ["Task"]


def _with_parameter(default=None, **given):
    definition = {"parameterType": "STRING", **({"defaultValue": default} if default else {})}
    root = {"inputDefinitions": {"parameters": {"day": definition}}}
    return jobs.job({"Task": jobs.container()}, root=root, parameters=given)


def test_a_parameter_has_the_value_given_or_its_default(tmp_path):
    assert plain(jobs.read(_with_parameter("Monday"), tmp_path).parameters["day"]) == "Monday"
    given = jobs.read(_with_parameter("Monday", day="Friday"), tmp_path)
    assert plain(given.parameters["day"]) == "Friday"


def test_a_parameter_without_a_value_is_named(tmp_path):
    with pytest.raises(PostersError, match="no value to its parameter day"):
        jobs.read(_with_parameter(), tmp_path)


def test_what_the_form_does_not_know_is_named(tmp_path):
    content = jobs.job({"Task": jobs.container()})
    content["pipelineSpec"]["root"]["dag"]["tasks"]["Task"]["patience"] = 3
    with pytest.raises(PostersError, match="patience"):
        jobs.read(content, tmp_path)
    content = jobs.job({"Task": jobs.container()})
    content["pipelineSpec"]["deploymentSpec"]["executors"]["Task_executor"]["robot"] = {}
    with pytest.raises(PostersError, match="robot"):
        jobs.read(content, tmp_path)


def test_the_form_before_is_refused(tmp_path):
    content = jobs.job({"Task": jobs.container()})
    content["pipelineSpec"]["schemaVersion"] = "2.0.0"
    with pytest.raises(PostersError, match=r"schemaVersion is 2\.0\.0"):
        jobs.read(content, tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", "3"])
def test_what_is_no_job_is_refused(tmp_path, content):
    path = tmp_path / "job.json"
    path.write_text(content)
    with pytest.raises(PostersError, match=r"job\.json cannot be read as a compiled job"):
        spec.read(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PostersError, match=r"nowhere\.json"):
        spec.read(tmp_path / "nowhere.json")
