"""The custom job that the Trainer starts on Vertex AI, as a server on this machine receives it."""

import json
import re

import pytest
from google.cloud.aiplatform_v1 import types
from tfx.extensions.google_cloud_ai_platform import training_clients
from tfx.types import standard_artifacts
from tfx.utils import json_utils

from components.trainer.custom_job import CUSTOM_JOB, CustomJobExecutor
from pipeline import config as configuration
from pipeline.runners import custom_job
from tests.vertex_server import serving

TRAINER = "tfx.components.trainer.executor.GenericExecutor"
JOB = (
    "vertex.project=mine",
    "vertex.service_account=runner@mine.iam.gserviceaccount.com",
    "vertex.network=projects/1/global/networks/net",
    "vertex.trainer_job={machine_type: n1-standard-16, accelerator: NVIDIA_TESLA_T4, "
    "accelerator_count: 2, boot_disk_gb: 200}",
    "resources.by_node={}",
)


def _run(config, settings):
    examples, model, model_run = (
        standard_artifacts.Examples(), standard_artifacts.Model(), standard_artifacts.ModelRun()
    )  # fmt: skip
    examples.uri, model.uri, model_run.uri = "gs://b/examples", "gs://b/model", "gs://b/run"
    properties = {
        "custom_config": json_utils.dumps({**settings, CUSTOM_JOB: custom_job.describe(config)}),
        "run_fn": "components.trainer.run.run_fn",
        "train_args": "{}",
        "eval_args": "{}",
    }
    CustomJobExecutor().Do(
        {"examples": [examples]}, {"model": [model], "model_run": [model_run]}, properties
    )


@pytest.fixture
def vertex(monkeypatch):
    with serving() as server:
        monkeypatch.setattr(training_clients.gapic, "JobServiceClient", server.jobs)
        yield server


def test_the_job_has_the_machine_the_image_and_the_trainers_command(vertex):
    _run(configuration.load("vertex", JOB), {"labels": ["Drama"], "image_size": 96})
    ((name, sent),) = vertex.custom_jobs.items()
    assert name == "projects/mine/locations/europe-west4/customJobs/1"
    assert sent.display_name == "posters-vertex-trainer"
    (pool,) = sent.job_spec.worker_pool_specs
    assert pool.machine_spec.machine_type == "n1-standard-16"
    assert pool.machine_spec.accelerator_type == types.AcceleratorType.NVIDIA_TESLA_T4
    assert pool.machine_spec.accelerator_count == 2
    assert pool.replica_count == 1
    assert pool.disk_spec.boot_disk_size_gb == 200
    assert pool.container_spec.image_uri.endswith("/posters/posters-gpu:0.1.0")
    assert sent.job_spec.service_account == "runner@mine.iam.gserviceaccount.com"
    assert sent.job_spec.network == "projects/1/global/networks/net"
    command = list(pool.container_spec.command)
    assert command[:3] == ["python", "-m", "tfx.scripts.run_executor"]
    values = dict(zip(command[3::2], command[4::2], strict=False))
    assert values["--executor_class_path"] == TRAINER
    assert "gs://b/examples" in values["--inputs"]
    assert "gs://b/model" in values["--outputs"]
    properties = json.loads(values["--exec-properties"])
    assert properties["run_fn"] == "components.trainer.run.run_fn"
    told = json_utils.loads(properties["custom_config"])
    assert (told["labels"], told["image_size"]) == (["Drama"], 96)
    assert CUSTOM_JOB not in told


def test_a_job_without_an_accelerator_asks_for_none(vertex):
    plain = "vertex.trainer_job={machine_type: n1-standard-16}"
    _run(configuration.load("vertex", [*JOB, plain]), {})
    (sent,) = vertex.custom_jobs.values()
    machine = sent.job_spec.worker_pool_specs[0].machine_spec
    assert not machine.accelerator_count
    assert machine.accelerator_type == types.AcceleratorType.ACCELERATOR_TYPE_UNSPECIFIED


def test_the_node_fails_with_its_job(vertex):
    vertex.custom_job_state = types.JobState.JOB_STATE_FAILED
    with pytest.raises(RuntimeError, match=re.escape("customJobs/1' did not succeed")):
        _run(configuration.load("vertex", JOB), {})
