"""Submitting to Kubeflow over HTTP, against a server on this machine."""

import socket

import pytest

from components.errors import PostersError
from pipeline.cluster_config import KubeflowConfig
from pipeline.services import retry
from pipeline.services.kubeflow import TOKEN_VARIABLE, KubeflowService
from tests import jobs
from tests.kubeflow_server import FakeKubeflow, serving


@pytest.fixture
def kubeflow():
    with serving() as server:
        yield server


def _service(address: str, pauses: list | None = None, **settings) -> KubeflowService:
    config = KubeflowConfig(
        host=address, store="gs://bucket/posters", images={"default": jobs.IMAGE}, **settings
    )
    return KubeflowService(config, sleep=(pauses if pauses is not None else []).append)


def test_a_job_is_sent_whole(kubeflow: FakeKubeflow):
    service = _service(kubeflow.address, namespace="team", service_account="runner")
    run = service.submit(jobs.job(), "two-1")
    assert (run.id, run.state, run.error) == ("run-1", "pending", None)
    assert run.page == f"{kubeflow.address}/#/runs/details/run-1"
    (experiment,) = kubeflow.experiments.values()
    assert (experiment["display_name"], experiment["namespace"]) == ("posters", "team")
    sent = kubeflow.runs["run-1"]
    assert sent["pipeline_spec"] == jobs.job()["pipelineSpec"]
    assert sent["runtime_config"] == {
        "pipeline_root": "gs://bucket/posters/artifacts", "parameters": {}
    }  # fmt: skip
    assert sent["display_name"] == "two-1"
    assert sent["service_account"] == "runner"
    assert sent["experiment_id"] == experiment["experiment_id"]


def test_the_second_job_goes_to_the_same_experiment(kubeflow):
    service = _service(kubeflow.address)
    service.submit(jobs.job(), "two-1")
    service.submit(jobs.job(), "two-2")
    assert len(kubeflow.experiments) == 1
    assert {run["experiment_id"] for run in kubeflow.runs.values()} == {"experiment-1"}


def test_a_token_is_sent_from_its_file(kubeflow, tmp_path, monkeypatch):
    token = tmp_path / "token"
    token.write_text("abc\n")
    monkeypatch.setenv(TOKEN_VARIABLE, str(token))
    _service(kubeflow.address).submit(jobs.job(), "two-1")
    assert {headers["authorization"] for _, _, headers in kubeflow.requests} == {"Bearer abc"}
    token.unlink()
    with pytest.raises(PostersError, match=TOKEN_VARIABLE):
        _service(kubeflow.address)


def test_a_gateway_that_fails_once_is_asked_again(kubeflow):
    pauses: list[float] = []
    service = _service(kubeflow.address, pauses)
    kubeflow.failures = [(503, "upstream connect error")]
    assert service.submit(jobs.job(), "two-1").id == "run-1"
    assert pauses == [retry.PAUSES[0]]


def test_a_run_whose_answer_was_lost_is_not_started_twice(kubeflow):
    service = _service(kubeflow.address)
    service.submit(jobs.job(), "two-1")
    requests = len(kubeflow.requests)
    kubeflow.lose_next = "POST"
    run = service.submit(jobs.job(), "two-2")
    assert [run["display_name"] for run in kubeflow.runs.values()] == ["two-1", "two-2"]
    assert kubeflow.runs[run.id]["display_name"] == "two-2"
    methods = [method for method, _, _ in kubeflow.requests[requests:]]
    assert methods == ["GET", "POST", "GET"]


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (403, "exceeded quota: gpus", ["lack of quota", "exceeded quota: gpus", "`resources`"]),
        (401, "token expired", ["credentials", "token expired", TOKEN_VARIABLE]),
        (403, "user may not create runs", ["does not allow", "kubeflow-edit"]),
        (404, "page not found", ["kubeflow.host", "Pipelines 2"]),
        (400, "unknown field", ["refuses the request", "400", "unknown field"]),
    ],
)
def test_a_refusal_says_what_to_do(kubeflow, status, message, words):
    pauses: list[float] = []
    service = _service(kubeflow.address, pauses)
    kubeflow.failures = [(status, message)]
    with pytest.raises(PostersError) as error:
        service.submit(jobs.job(), "two-1")
    for word in words:
        assert word in str(error.value)
    assert not kubeflow.runs
    assert not pauses  # asking again would not help


def test_an_api_that_stays_away_is_given_up(kubeflow):
    pauses: list[float] = []
    service = _service(kubeflow.address, pauses)
    kubeflow.failures = [(503, "no healthy upstream")] * 4
    with pytest.raises(PostersError, match="4 tries: 503 no healthy upstream"):
        service.submit(jobs.job(), "two-1")
    assert pauses == list(retry.PAUSES)
    assert not kubeflow.runs


def test_a_network_that_is_down_names_the_host():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    pauses: list[float] = []
    with pytest.raises(PostersError, match=r"kubeflow\.host: .*cannot be reached") as error:
        _service(address, pauses).submit(jobs.job(), "two-1")
    assert "refused" in str(error.value)
    assert len(pauses) == len(retry.PAUSES)


def test_a_page_to_log_in_is_no_answer(kubeflow):
    kubeflow.login_page = True
    with pytest.raises(PostersError, match="for people to log in"):
        _service(kubeflow.address).submit(jobs.job(), "two-1")
    assert [method for method, _, _ in kubeflow.requests] == ["GET", "GET"]


def test_a_run_is_asked_for(kubeflow):
    service = _service(kubeflow.address)
    service.submit(jobs.job(), "two-1")
    kubeflow.details = {
        "state": "FAILED",
        "error": {"code": 13, "message": "Trainer was evicted"},
        "run_details": {
            "task_details": [
                {"display_name": "root", "state": "FAILED"},
                {"display_name": "First", "state": "SUCCEEDED"},
                {"display_name": "Second", "state": "FAILED"},
            ]
        },
    }
    run = service.run("run-1")
    assert (run.state, run.error) == ("failed", "Trainer was evicted")
    assert run.nodes == {"First": "succeeded", "Second": "failed"}


def test_a_run_that_is_not_there_is_named(kubeflow):
    with pytest.raises(PostersError, match="there is no run run-9"):
        _service(kubeflow.address).run("run-9")
