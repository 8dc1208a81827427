"""Submitting to Vertex AI over gRPC, against a server on this machine."""

import json
import re

import google.auth.exceptions
import grpc
import pytest
from google.cloud.aiplatform_v1 import types

from components.errors import PostersError
from pipeline.cluster_config import VertexConfig
from pipeline.services import retry
from pipeline.services import vertex as vertex_module
from pipeline.services.vertex import VertexService
from tests import jobs
from tests.vertex_server import FakeVertex, serving

PARENT = "projects/my-project/locations/europe-west4"
ACCOUNT = "runner@my-project.iam.gserviceaccount.com"


@pytest.fixture
def vertex():
    with serving() as server:
        yield server


def _config(**settings) -> VertexConfig:
    return VertexConfig(
        project="my-project",
        region="europe-west4",
        service_account=ACCOUNT,
        store="gs://bucket/posters",
        images={"default": jobs.IMAGE},
        **settings,
    )


def _service(vertex: FakeVertex, pauses: list | None = None, **settings) -> VertexService:
    sleep = (pauses if pauses is not None else []).append
    return VertexService(_config(**settings), vertex.pipelines(), sleep)


def test_a_job_is_sent_whole(vertex):
    network = "projects/1/global/networks/mine"
    run = _service(vertex, network=network).submit(jobs.job(), "two-1")
    assert (run.id, run.state, run.error) == (f"{PARENT}/pipelineJobs/two-1", "pending", None)
    assert run.page.endswith("/locations/europe-west4/runs/two-1?project=my-project")
    sent = vertex.pipeline_jobs[run.id]
    spec = json.loads(types.PipelineJob.to_json(sent))["pipelineSpec"]
    assert spec == jobs.job()["pipelineSpec"]
    assert sent.runtime_config.gcs_output_directory == "gs://bucket/posters/artifacts"
    assert (sent.service_account, sent.network) == (ACCOUNT, network)
    assert (sent.display_name, dict(sent.labels)) == ("two-span-1", {"window": "span-1"})


def test_a_service_that_fails_once_is_asked_again(vertex):
    pauses: list[float] = []
    vertex.failures = [(grpc.StatusCode.UNAVAILABLE, "try again")]
    assert _service(vertex, pauses).submit(jobs.job(), "two-1").state == "pending"
    assert pauses == [retry.PAUSES[0]]


def test_a_run_whose_answer_was_lost_is_not_started_twice(vertex):
    vertex.lose_next = True
    run = _service(vertex).submit(jobs.job(), "two-1")
    assert list(vertex.pipeline_jobs) == [run.id]
    assert vertex.requests == ["CreatePipelineJob", "CreatePipelineJob", "GetPipelineJob"]


def test_a_name_that_is_another_runs_is_not_taken_for_ones_own(vertex):
    _service(vertex).submit(jobs.job(), "two-1")
    with pytest.raises(PostersError, match="two-1 exists"):
        _service(vertex).submit(jobs.job(), "two-1")


@pytest.mark.parametrize(
    ("code", "message", "words"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "custom_model_training_nvidia_t4_gpus",
         ["lack of quota", "nvidia_t4", "Quotas for europe-west4"]),
        (grpc.StatusCode.UNAUTHENTICATED, "token expired",
         ["credentials", "token expired", "gcloud auth application-default login"]),
        (grpc.StatusCode.PERMISSION_DENIED, "aiplatform.pipelineJobs.create",
         ["roles/aiplatform.user", "roles/iam.serviceAccountUser", ACCOUNT]),
        (grpc.StatusCode.NOT_FOUND, "no project", ["vertex.project (my-project)"]),
        (grpc.StatusCode.INVALID_ARGUMENT, "bad spec", ["refuses the request", "bad spec"]),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do(vertex, code, message, words):
    pauses: list[float] = []
    vertex.failures = [(code, message)]
    with pytest.raises(PostersError) as error:
        _service(vertex, pauses).submit(jobs.job(), "two-1")
    for word in words:
        assert word in str(error.value)
    assert not vertex.pipeline_jobs
    assert not pauses  # asking again would not help


def test_a_network_that_is_down_is_said_so():
    with serving() as gone:
        service_without_server = _service(gone, pauses := [])
    with pytest.raises(PostersError, match=r"Vertex AI in europe-west4 cannot be reached, 4 tries"):
        service_without_server.submit(jobs.job(), "two-1")
    assert len(pauses) == len(retry.PAUSES)


def test_missing_credentials_say_how_to_log_in(monkeypatch):
    def none_found(**_):
        raise google.auth.exceptions.DefaultCredentialsError("none were found\nmore")

    monkeypatch.setattr(vertex_module, "PipelineServiceClient", none_found)
    with pytest.raises(PostersError, match=re.escape("(none were found)")) as error:
        VertexService(_config())
    assert "gcloud auth application-default login" in str(error.value)


def test_credentials_that_expire_on_the_way_say_how_to_log_in(vertex, monkeypatch):
    service = _service(vertex)

    def expired(**_):
        raise google.auth.exceptions.RefreshError("invalid_grant")

    monkeypatch.setattr(service._client, "get_pipeline_job", expired)
    with pytest.raises(PostersError, match="invalid_grant"):
        service.run("any")


def test_a_run_is_asked_for(vertex):
    service = _service(vertex)
    name = service.submit(jobs.job(), "two-1").id
    job = vertex.pipeline_jobs[name]
    job.state = types.PipelineState.PIPELINE_STATE_FAILED
    job.error.message = "The DAG failed"
    states = types.PipelineTaskDetail.State
    job.job_detail.task_details = [
        {"task_id": 1, "task_name": "two-1", "state": states.FAILED},
        {"task_id": 2, "parent_task_id": 1, "task_name": "First", "state": states.SUCCEEDED},
        {"task_id": 3, "parent_task_id": 1, "task_name": "Second", "state": states.FAILED},
    ]
    run = service.run(name)
    assert (run.state, run.error) == ("failed", "The DAG failed")
    assert run.nodes == {"First": "succeeded", "Second": "failed"}


def test_a_run_that_is_not_there_is_named(vertex):
    with pytest.raises(PostersError, match="nothing-here is not there"):
        _service(vertex).run("nothing-here")


def test_a_job_that_the_library_does_not_take_is_refused(vertex):
    job = jobs.job()
    del job["pipelineSpec"]["pipelineInfo"]
    with pytest.raises(PostersError, match="library refuses the compiled job"):
        _service(vertex).check(job)
    assert not vertex.requests
