import pytest

from components.errors import PostersError
from pipeline import config
from pipeline.runners import requirements
from pipeline.runners.capabilities import KUBEFLOW, KUBEFLOW_LOCAL, LOCAL, VERTEX

JOB = "vertex.trainer_job={machine_type: n1-standard-8, accelerator: NVIDIA_TESLA_T4}"


@pytest.mark.parametrize(("name", "runner"), [("kubeflow", KUBEFLOW), ("vertex", VERTEX)])
def test_the_bundled_configurations_ask_for_nothing_impossible(name, runner):
    requirements.check(config.load(name), runner)


@pytest.mark.parametrize("runner", [LOCAL, KUBEFLOW_LOCAL])
def test_this_machine_takes_local_folders(runner):
    requirements.check(config.load("sample"), runner)


@pytest.mark.parametrize(
    ("name", "overrides", "words"),
    [
        ("vertex", ["data_root=/data"], ["data_root: /data", "containers on vertex", "gs://"]),
        ("vertex", ["data_root=s3://bucket/data"], ["data_root: s3://bucket/data"]),
        ("vertex", ["vertex.store=/tmp/x"], ["vertex.store: /tmp/x"]),
        ("kubeflow", ["kubeflow.store=minio://bucket/x"], ["kubeflow.store", "gs:// or s3://"]),
        ("kubeflow", ["trainer.hub_handle=/modules/x"], ["trainer.hub_handle: /modules/x"]),
        ("kubeflow", ["resources.by_node.Tuner.accelerator=NVIDIA_L4"],
         ["resources.by_node.Tuner.accelerator: NVIDIA_L4"]),
        ("vertex", ["resources.by_node.Trainer.accelerator=NVIDIA_TESLA_K80"],
         ["resources.by_node.Trainer.accelerator: NVIDIA_TESLA_K80", "retired"]),
        ("vertex", [JOB], ["resources.by_node.Trainer.accelerator", "custom job"]),
        ("vertex", ["resources.by_node={}", JOB.replace("n1-standard-8", "e2-standard-8")],
         ["vertex.trainer_job.machine_type: e2-standard-8"]),
        ("vertex", ["resources.by_node={}", JOB.replace("TESLA_T4", "GTX")],
         ["vertex.trainer_job.accelerator: NVIDIA_GTX"]),
    ],
)  # fmt: skip
def test_what_a_runner_cannot_do_is_refused_by_its_key(name, overrides, words):
    with pytest.raises(PostersError) as error:
        requirements.check(
            config.load(name, overrides), {"kubeflow": KUBEFLOW, "vertex": VERTEX}[name]
        )
    for word in words:
        assert word in str(error.value)


def test_a_section_that_is_not_there_is_named():
    with pytest.raises(PostersError, match=r"vertex: missing; .*configs/vertex\.yaml"):
        requirements.check(config.load("sample"), VERTEX)


def test_placeholders_are_refused_by_their_keys_and_own_values_are_not():
    with pytest.raises(PostersError) as error:
        requirements.check_filled_in(config.load("vertex"))
    keys = str(error.value).partition(":")[0].split(", ")
    assert keys == [
        "data_root",
        "vertex.project",
        "vertex.service_account",
        "vertex.store",
        "vertex.images.default",
        "vertex.images.by_node.Trainer",
    ]
    requirements.check_filled_in(config.load("sample"))
