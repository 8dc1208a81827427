import pytest

from components.errors import PostersError
from pipeline.runners.kubeflow_local import support
from tests import kubeflow_jobs as jobs


def _problem(content, tmp_path):
    with pytest.raises(PostersError) as error:
        support.check(jobs.read(content, tmp_path))
    return str(error.value)


def _job(**more):
    return jobs.job({"Task": jobs.container(**more)})


def _executor(content):
    return content["pipelineSpec"]["deploymentSpec"]["executors"]["Task_executor"]


def test_containers_resolvers_importers_and_dags_can_be_run(tmp_path):
    tasks = {
        "Task": jobs.container(),
        "Resolver": jobs.resolver({"model": "state=LIVE"}),
        "Importer": jobs.importer("/somewhere"),
    }
    job = jobs.read(jobs.job(tasks, {"OnExit": jobs.container()}), tmp_path)
    support.check(job)
    assert support.count_tasks(job) == 4
    assert support.notes(job) == []


@pytest.mark.parametrize("loop", ["artifactIterator", "parameterIterator"])
def test_a_loop_is_refused(tmp_path, loop):
    problem = _problem(_job(**{loop: {"itemInput": "item"}}), tmp_path)
    assert "Task cannot be run on this machine: it is a loop" in problem


def test_a_loop_within_a_dag_is_refused(tmp_path):
    tasks = {"Task": jobs.container(parameterIterator={"itemInput": "item"})}
    assert "it is a loop" in _problem(jobs.job(tasks, {"OnExit": jobs.container()}), tmp_path)


def test_a_parameter_that_is_an_expression_is_refused(tmp_path):
    inputs = jobs.constants(rate=0.1)
    inputs["parameters"]["rate"]["parameterExpressionSelector"] = "parseJson(x)"
    assert "its parameter rate is an expression" in _problem(_job(inputs=inputs), tmp_path)


def test_a_placeholder_in_a_parameter_is_refused(tmp_path):
    inputs = jobs.constants(path="{{$.pipeline_job_name}}/x")
    assert "its parameter path holds a placeholder" in _problem(_job(inputs=inputs), tmp_path)


def test_a_parameter_in_the_form_before_is_refused(tmp_path):
    inputs = {"parameters": {"rate": {"runtimeValue": {"constantValue": {"intValue": "1"}}}}}
    assert "its parameter rate has no constant value" in _problem(_job(inputs=inputs), tmp_path)


def test_a_dag_with_outputs_of_its_own_is_refused(tmp_path):
    content = jobs.job({"Task": jobs.container()}, {"OnExit": jobs.container()})
    dag = content["pipelineSpec"]["components"]["tfx-dag"]["dag"]
    selector = {"artifactSelectors": [{"producerSubtask": "Task", "outputArtifactKey": "model"}]}
    dag["outputs"] = {"artifacts": {"model": selector}}
    assert "tfx-dag cannot be run on this machine: it is a DAG with outputs" in _problem(
        content, tmp_path
    )


def test_a_custom_job_is_refused(tmp_path):
    content = _job()
    content["pipelineSpec"]["deploymentSpec"]["executors"]["Task_executor"] = {
        "customJob": {"customJob": {"jobSpec": {}}}
    }
    assert "it is a custom job of Vertex's" in _problem(content, tmp_path)


def test_an_executor_that_would_train_in_the_cloud_is_refused(tmp_path):
    content = _job()
    name = "tfx.extensions.google_cloud_ai_platform.trainer.executor.GenericExecutor"
    _executor(content)["container"]["args"] = ["--executor_class_path", name]
    assert "would hand the work to a service" in _problem(content, tmp_path)


def test_a_container_that_relies_on_its_image_is_refused(tmp_path):
    content = _job()
    _executor(content)["container"] = {"image": "busybox:1"}
    assert "its command is that of the image busybox:1" in _problem(content, tmp_path)


def test_a_driver_is_refused_as_no_node_of_ours_has_one(tmp_path):
    content = _job()
    _executor(content)["container"]["lifecycle"] = {"preCacheCheck": {"command": ["python"]}}
    assert "it has a driver, which Kubeflow's own backend does not run" in _problem(
        content, tmp_path
    )


def test_what_is_referred_to_and_not_there_is_refused(tmp_path):
    content = _job()
    del content["pipelineSpec"]["components"]["Task"]
    assert "there is no component 'Task'" in _problem(content, tmp_path)
    content = _job()
    content["pipelineSpec"]["components"]["Task"]["executorLabel"] = "nobody"
    assert "there is no executor 'nobody'" in _problem(content, tmp_path)
    assert "Task waits for Other" in _problem(_job(dependentTasks=["Other"]), tmp_path)


def test_what_has_no_effect_here_is_noted(tmp_path, monkeypatch):
    content = _job(retryPolicy={"maxRetryCount": 2})
    accelerator = {"type": "NVIDIA_TESLA_T4", "count": "1"}
    _executor(content)["container"]["resources"] = {"cpuLimit": 4, "accelerator": accelerator}
    monkeypatch.setattr(support, "_has_gpu", lambda: False)
    job = jobs.read(content, tmp_path)
    assert support.notes(job) == [
        "Task asks for 1 NVIDIA_TESLA_T4; here it has no GPU",
        "Task may be tried again on a cluster; here it is tried once",
    ]
    monkeypatch.setattr(support, "_has_gpu", lambda: True)
    assert len(support.notes(job)) == 1
