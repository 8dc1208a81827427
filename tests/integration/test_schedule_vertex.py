"""Pipeline schedules over gRPC, against a server on this machine."""

import json

import grpc
import pytest
from google.cloud.aiplatform_v1 import ScheduleServiceClient, types

from components.errors import PostersError
from pipeline.cluster_config import VertexConfig
from pipeline.schedules import plan
from pipeline.services import retry
from pipeline.services.vertex import VertexService
from pipeline.services.vertex_schedules import VertexSchedules
from tests import jobs
from tests.vertex_server import FakeVertex, serving

PARENT = "projects/my-project/locations/europe-west4"
ACCOUNT = "runner@my-project.iam.gserviceaccount.com"


@pytest.fixture
def vertex():
    with serving() as server:
        yield server


def _schedules(vertex: FakeVertex, pauses: list | None = None, pipeline="posters"):
    config = VertexConfig(
        project="my-project",
        region="europe-west4",
        service_account=ACCOUNT,
        store="gs://bucket/posters",
        images={"default": jobs.IMAGE},
    )
    sleep = (pauses if pauses is not None else []).append
    service = VertexService(config, vertex.pipelines(), sleep)
    return VertexSchedules(service, pipeline, vertex.client(ScheduleServiceClient))


def _plan(name="nightly", missed="once", **more) -> plan.Plan:
    return plan.make(name, "0 3 * * mon", "Europe/Berlin", missed, **more)


def test_a_schedule_is_sent_whole(vertex):
    made = _schedules(vertex).create(jobs.job(), _plan(start="2030-01-01", end="2030-12-31"))
    assert (made.id, made.name, made.state) == (f"{PARENT}/schedules/1", "nightly", "active")
    assert (made.cron, made.timezone) == ("0 3 * * 1", "Europe/Berlin")
    assert made.page.endswith("/locations/europe-west4/schedules/1?project=my-project")
    assert made.following.tzname() in ("CET", "CEST")
    (sent,) = vertex.schedules.values()
    assert (sent.display_name, sent.cron) == ("posters.nightly", "TZ=Europe/Berlin 0 3 * * 1")
    # The second is the one that keeps two runs apart.
    assert (sent.max_concurrent_run_count, sent.max_concurrent_active_run_count) == (1, 1)
    assert sent.allow_queueing
    assert sent.start_time.isoformat() == "2029-12-31T22:59:59+00:00"
    assert sent.end_time.isoformat() == "2030-12-31T22:59:59+00:00"
    request = sent.create_pipeline_job_request
    assert (request.parent, request.pipeline_job_id, request.pipeline_job.name) == (PARENT, "", "")
    assert request.pipeline_job.service_account == ACCOUNT
    spec = json.loads(types.PipelineJob.to_json(request.pipeline_job))["pipelineSpec"]
    assert spec == jobs.job()["pipelineSpec"]
    root = request.pipeline_job.runtime_config.gcs_output_directory
    assert root == "gs://bucket/posters/artifacts"


def test_what_is_missed_is_not_queued_where_that_is_wanted(vertex):
    _schedules(vertex).create(jobs.job(), _plan(missed="never", start="2020-01-01"))
    (sent,) = vertex.schedules.values()
    assert not sent.allow_queueing
    assert sent.start_time is None  # it has passed


def test_a_schedule_is_listed_paused_resumed_and_deleted(vertex):
    schedules = _schedules(vertex)
    assert not schedules.list()
    for name in ("one", "two", "three", "four", "five"):
        schedules.create(jobs.job(), _plan(name))
    _schedules(vertex, pipeline="posters-two").create(jobs.job(), _plan("other"))
    assert [found.name for found in schedules.list()] == ["one", "two", "three", "four", "five"]
    schedules.pause("four")
    schedules.pause("four")
    assert [found.state for found in schedules.list()][3:] == ["paused", "active"]
    assert schedules.list()[3].following is None
    schedules.resume("four")
    assert {found.state for found in schedules.list()} == {"active"}
    schedules.delete("four")
    assert [found.name for found in schedules.list()] == ["one", "two", "three", "five"]
    assert len(vertex.schedules) == 5
    vertex.schedules[f"{PARENT}/schedules/1"].state = types.Schedule.State.COMPLETED
    assert schedules.list()[0].state == "over"


@pytest.mark.parametrize("verb", ["pause", "resume", "delete"])
def test_one_that_is_not_there_is_said_with_those_that_are(vertex, verb):
    schedules = _schedules(vertex)
    schedules.create(jobs.job(), _plan("weekly"))
    with pytest.raises(PostersError, match=r"no schedule nightly .*there are: weekly"):
        getattr(schedules, verb)("nightly")


def test_a_name_that_is_taken_is_refused(vertex):
    schedules = _schedules(vertex)
    schedules.check_new(_plan())
    schedules.create(jobs.job(), _plan())
    with pytest.raises(PostersError, match=r"a schedule nightly .* already"):
        schedules.check_new(_plan())
    schedules.check_new(_plan("night"))


def test_a_schedule_whose_answer_was_lost_is_not_created_twice(vertex):
    vertex.lose_next = True
    assert _schedules(vertex).create(jobs.job(), _plan()).name == "nightly"
    assert len(vertex.schedules) == 1
    assert vertex.requests == ["CreateSchedule", "ListSchedules"]


@pytest.mark.parametrize("verb", ["pause", "delete"])
def test_a_change_whose_answer_was_lost_is_one(vertex, monkeypatch, verb):
    schedules = _schedules(vertex)
    schedules.create(jobs.job(), _plan())
    method = f"{verb}_schedule"
    done = getattr(schedules._client, method)

    def lose_first(**request):
        vertex.lose_next = method.title().replace("_", "") not in vertex.requests
        return done(**request)

    monkeypatch.setattr(schedules._client, method, lose_first)
    getattr(schedules, verb)("nightly")
    assert [found.state for found in schedules.list()] == ([] if verb == "delete" else ["paused"])


def test_a_schedule_that_is_long_in_being_deleted_is_said(vertex, monkeypatch):
    schedules = _schedules(vertex)
    schedules.create(jobs.job(), _plan())
    vertex.slow = True
    delete = schedules._client.delete_schedule

    def impatient(**request):
        begun = delete(**request)
        wait = begun.result
        monkeypatch.setattr(begun, "result", lambda seconds: wait(seconds / 1000))
        return begun

    monkeypatch.setattr(schedules._client, "delete_schedule", impatient)
    with pytest.raises(PostersError, match=r"did not say in 60 s that the schedule nightly is"):
        schedules.delete("nightly")
    assert "GetOperation" in vertex.requests


def test_a_service_that_fails_once_is_asked_again(vertex):
    pauses: list[float] = []
    vertex.failures = [(grpc.StatusCode.UNAVAILABLE, "try again")]
    _schedules(vertex, pauses).create(jobs.job(), _plan())
    assert pauses == [retry.PAUSES[0]]
    assert len(vertex.schedules) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "gcloud auth application-default login"),
        (grpc.StatusCode.PERMISSION_DENIED, "roles/aiplatform.user"),
        (grpc.StatusCode.INVALID_ARGUMENT, "refuses the request"),
    ],
)
def test_a_refusal_says_what_to_do(vertex, code, words):
    vertex.failures = [(code, "no")]
    with pytest.raises(PostersError, match=words):
        _schedules(vertex).create(jobs.job(), _plan())
    assert not vertex.schedules


def test_a_network_that_is_down_is_said_so():
    with serving() as gone:
        schedules = _schedules(gone, pauses := [])
    with pytest.raises(PostersError, match=r"Vertex AI in europe-west4 cannot be reached, 4 tries"):
        schedules.list()
    assert len(pauses) == len(retry.PAUSES)
