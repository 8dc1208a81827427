import pytest

from components.errors import PostersError
from pipeline.runners import preflight
from pipeline.runners.capabilities import KUBEFLOW, KUBEFLOW_LOCAL
from tests import jobs


def _tasks(job):
    return job["pipelineSpec"]["root"]["dag"]["tasks"]


def _executor(job, name):
    return job["pipelineSpec"]["deploymentSpec"]["executors"][f"{name}_executor"]


def _unknown_field(job):
    job["pipelineSpec"]["colour"] = "red"


def _unknown_resource(job):
    _executor(job, "First")["container"]["resources"] = {"gpus": 1}


def _no_component(job):
    _tasks(job)["First"]["componentRef"]["name"] = "Frist"


def _no_executor(job):
    del job["pipelineSpec"]["deploymentSpec"]["executors"]["First_executor"]


def _waits_for_nothing(job):
    _tasks(job)["Second"]["dependentTasks"].append("Zeroth")


def _input_not_given(job):
    del _tasks(job)["Second"]["inputs"]["artifacts"]


def _parameter_not_known(job):
    _tasks(job)["Second"]["inputs"]["parameters"]["colour"] = {"runtimeValue": {"constant": "x"}}


def _output_not_made(job):
    given = _tasks(job)["Second"]["inputs"]["artifacts"]["examples"]
    given["taskOutputArtifact"]["outputArtifactKey"] = "exmaples"


def _condition_on_nothing(job):
    condition = "inputs.artifacts['exmaples'].artifacts[0].metadata['good'] == 1.0"
    _tasks(job)["Second"]["triggerPolicy"] = {"condition": condition}


def _circle(job):
    _tasks(job)["First"]["dependentTasks"] = ["Second"]


def _secret(job):
    _executor(job, "Second")["container"]["args"] = ["--token=sw0rdfish"]


def _latest(job):
    _executor(job, "Second")["container"]["image"] = "gcr.io/x/posters:latest"


def _untagged(job):
    _executor(job, "Second")["container"]["image"] = "localhost:5000/posters"


def _parameter_without_value(job):
    parameters = {"rate": {"parameterType": "NUMBER_DOUBLE"}}
    job["pipelineSpec"]["root"]["inputDefinitions"] = {"parameters": parameters}


def _two_roots(job):
    job["runtimeConfig"]["gcsOutputDirectory"] = "gs://bucket/elsewhere"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_unknown_field, ["no PipelineJob", "colour"]),
        (_unknown_resource, ["no PipelineJob", "gpus"]),
        (_no_component, ["First: there is no component Frist"]),
        (_no_executor, ["First: nothing executes it"]),
        (_waits_for_nothing, ["Second: waits for Zeroth, which is no task"]),
        (_input_not_given, ["Second: the input examples is not given"]),
        (_parameter_not_known, ["Second: the input colour is not known"]),
        (_output_not_made, ["Second: the input examples: First makes no exmaples"]),
        (
            _condition_on_nothing,
            ["Second: its condition asks for the input exmaples, which is not"],
        ),
        (_circle, ["wait for each other", "First", "Second"]),
        (_secret, ["Second_executor", "looks like a secret", "token"]),
        (_latest, ["Second: the image gcr.io/x/posters:latest", "tomorrow"]),
        (_untagged, ["Second: the image localhost:5000/posters", "a tag or a digest"]),
        (_parameter_without_value, ["the parameter rate has no value"]),
        (_two_roots, ["another pipeline root"]),
    ],
)
def test_what_cannot_run_is_refused(spoil, words):
    job = jobs.job()
    spoil(job)
    with pytest.raises(PostersError) as error:
        preflight.check(job, KUBEFLOW)
    for word in words:
        assert word in str(error.value)
    assert "sw0rdfish" not in str(error.value)


@pytest.mark.parametrize("root", ["/tmp/x", "gs://", "gs://b", "http://bucket/x", "gs://bucket//x"])
def test_a_pipeline_root_that_is_no_bucket_is_refused_on_a_cluster_alone(root):
    job = jobs.job(root)
    preflight.check(job, KUBEFLOW_LOCAL)
    with pytest.raises(PostersError, match=r"is no folder in a bucket \(kubeflow\.store\)"):
        preflight.check(job, KUBEFLOW)


def test_everything_that_is_wrong_is_said_at_once():
    job = jobs.job()
    _latest(job)
    _parameter_without_value(job)
    with pytest.raises(PostersError) as error:
        preflight.check(job, KUBEFLOW)
    assert len(str(error.value).splitlines()) == 3


def test_a_whole_job_passes():
    job = jobs.job()
    preflight.check(job, KUBEFLOW)
    _parameter_without_value(job)
    job["runtimeConfig"]["parameterValues"] = {"rate": 0.1}
    preflight.check(job, KUBEFLOW)
