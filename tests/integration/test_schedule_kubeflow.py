"""Recurring runs over HTTP, against a server on this machine."""

import datetime
import socket

import pytest

from components.errors import PostersError
from pipeline.cluster_config import KubeflowConfig
from pipeline.schedules import plan
from pipeline.services import retry
from pipeline.services.kubeflow import KubeflowService
from pipeline.services.kubeflow_schedules import KubeflowSchedules
from tests import jobs
from tests.kubeflow_server import FakeKubeflow, serving


@pytest.fixture
def kubeflow():
    with serving() as server:
        yield server


def _schedules(address: str, pauses: list | None = None, pipeline="posters", **settings):
    config = KubeflowConfig(
        host=address, store="gs://bucket/posters", images={"default": jobs.IMAGE}, **settings
    )
    service = KubeflowService(config, sleep=(pauses if pauses is not None else []).append)
    return KubeflowSchedules(service, pipeline)


def _plan(name="nightly", text="0 3 * * mon", timezone="UTC", **more) -> plan.Plan:
    return plan.make(name, text, timezone, **more)


def test_a_schedule_is_sent_whole(kubeflow: FakeKubeflow):
    schedules = _schedules(kubeflow.address, service_account="runner")
    made = schedules.create(jobs.job(), _plan(start="2030-01-01", end="2030-12-31"))
    assert (made.id, made.name, made.state) == ("recurring-1", "nightly", "active")
    assert made.page == f"{kubeflow.address}/#/recurringrun/details/recurring-1"
    assert f"{made.following:%a %Y-%m-%d %H:%M %Z}" == "Mon 2030-01-07 03:00 UTC"
    (sent,) = kubeflow.recurring_runs.values()
    assert sent["display_name"] == "posters.nightly"
    assert sent["pipeline_spec"] == jobs.job()["pipelineSpec"]
    assert sent["runtime_config"] == {
        "pipeline_root": "gs://bucket/posters/artifacts", "parameters": {}
    }  # fmt: skip
    assert sent["trigger"]["cron_schedule"] == {
        "cron": "0 0 3 * * 1",
        "start_time": "2029-12-31T23:59:59+00:00",
        "end_time": "2030-12-31T23:59:59+00:00",
    }
    assert (sent["max_concurrency"], sent["no_catchup"], sent["mode"]) == ("1", True, "ENABLE")
    assert (sent["service_account"], sent["experiment_id"]) == ("runner", "experiment-1")


def test_a_schedule_is_listed_paused_resumed_and_deleted(kubeflow):
    schedules = _schedules(kubeflow.address)
    assert not schedules.list()
    assert not kubeflow.experiments  # asking makes nothing
    for name in ("one", "two", "three", "four", "five"):
        schedules.create(jobs.job(), _plan(name))
    _schedules(kubeflow.address, pipeline="posters-two").create(jobs.job(), _plan("other"))
    assert [found.name for found in schedules.list()] == ["one", "two", "three", "four", "five"]
    schedules.pause("four")
    schedules.pause("four")
    assert [found.state for found in schedules.list()][3:] == ["paused", "active"]
    assert schedules.list()[3].following is None
    schedules.resume("four")
    assert {found.state for found in schedules.list()} == {"active"}
    schedules.delete("four")
    assert [found.name for found in schedules.list()] == ["one", "two", "three", "five"]
    assert len(kubeflow.recurring_runs) == 5


def test_one_that_is_over_says_so(kubeflow):
    schedules = _schedules(kubeflow.address)
    schedules.create(jobs.job(), _plan(end="2020-01-01"))
    assert [(found.state, found.following) for found in schedules.list()] == [("over", None)]


@pytest.mark.parametrize("verb", ["pause", "resume", "delete"])
def test_one_that_is_not_there_is_said_with_those_that_are(kubeflow, verb):
    schedules = _schedules(kubeflow.address)
    schedules.create(jobs.job(), _plan("weekly"))
    with pytest.raises(PostersError, match=r"no schedule nightly .*there are: weekly"):
        getattr(schedules, verb)("nightly")


def test_a_name_that_is_taken_is_refused(kubeflow):
    schedules = _schedules(kubeflow.address)
    schedules.check_new(_plan())
    schedules.create(jobs.job(), _plan())
    with pytest.raises(PostersError, match=r"a schedule nightly .* already"):
        schedules.check_new(_plan())


def test_a_schedule_whose_answer_was_lost_is_not_created_twice(kubeflow):
    schedules = _schedules(kubeflow.address)
    schedules.create(jobs.job(), _plan("first"))
    kubeflow.lose_next = "POST"
    assert schedules.create(jobs.job(), _plan("second")).name == "second"
    names = [run["display_name"] for run in kubeflow.recurring_runs.values()]
    assert names == ["posters.first", "posters.second"]


def test_a_deletion_whose_answer_was_lost_is_one(kubeflow):
    schedules = _schedules(kubeflow.address)
    schedules.create(jobs.job(), _plan())
    kubeflow.lose_next = "DELETE"
    schedules.delete("nightly")
    assert not kubeflow.recurring_runs


def test_a_gateway_that_fails_once_is_asked_again(kubeflow):
    pauses: list[float] = []
    schedules = _schedules(kubeflow.address, pauses)
    kubeflow.failures = [(503, "upstream connect error")]
    schedules.create(jobs.job(), _plan())
    assert pauses == [retry.PAUSES[0]]
    assert len(kubeflow.recurring_runs) == 1


@pytest.mark.parametrize(
    ("status", "words"), [(401, "Tokens expire"), (403, "kubeflow-edit"), (400, "refuses")]
)
def test_a_refusal_says_what_to_do(kubeflow, status, words):
    schedules = _schedules(kubeflow.address)
    kubeflow.failures = [(status, "no")]
    with pytest.raises(PostersError, match=words):
        schedules.create(jobs.job(), _plan())
    assert not kubeflow.recurring_runs


def test_a_network_that_is_down_names_the_host():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(PostersError, match=r"kubeflow\.host: .*cannot be reached"):
        _schedules(address).list()


def test_another_zone_than_the_installations_is_refused():
    schedules = _schedules("http://nowhere.example", schedule_timezone="Europe/Paris")
    schedules.check(_plan(timezone="Europe/Berlin"))  # the same clock
    with pytest.raises(PostersError, match=r"--timezone UTC: .*here Europe/Paris.*CRON_SCHEDULE"):
        schedules.check(_plan())


def test_it_cannot_leave_out_what_it_missed():
    with pytest.raises(PostersError, match="--missed never"):
        _schedules("http://nowhere.example").check(_plan(missed="never"))


def test_the_next_time_is_in_the_installations_zone(kubeflow):
    schedules = _schedules(kubeflow.address, schedule_timezone="America/New_York")
    made = schedules.create(jobs.job(), _plan(timezone="America/New_York"))
    assert made.following.hour == 3
    assert made.following.utcoffset() in (
        datetime.timedelta(hours=-5), datetime.timedelta(hours=-4)
    )  # fmt: skip
