import pytest

from components.errors import PostersError
from pipeline import config
from pipeline.cluster_config import ResourcesConfig, check_image

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    "image",
    [
        "posters:1.0",
        "registry.example.com/team/posters-gpu:0.1.0-3-gabc123",
        "localhost:5000/posters:1",
        f"gcr.io/x/posters@{DIGEST}",
        f"gcr.io/x/posters:latest@{DIGEST}",
    ],
)
def test_an_image_with_a_tag_or_a_digest_is_taken(image):
    assert check_image(image) == image


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("posters", "a tag or a digest"),
        ("localhost:5000/posters", "a tag or a digest"),
        ("gcr.io/x/posters:latest", "another image tomorrow"),
        ("gcr.io/x/posters@sha256:123", "64 digits"),
        ("GCR.io/Posters:1 ", "repository:tag"),
    ],
)
def test_an_image_that_may_be_another_tomorrow_is_refused_by_its_key(image, words):
    for key in ("default", "by_node.Trainer"):
        with pytest.raises(PostersError) as error:
            config.load("kubeflow", [f"kubeflow.images.{key}='{image}'"])
        assert f"kubeflow.images.{key}: " in str(error.value)
        assert words in str(error.value)


def test_a_time_zone_that_is_none_is_refused_by_its_key():
    loaded = config.load("kubeflow", ["kubeflow.schedule_timezone=Europe/Berlin"])
    assert loaded.kubeflow.schedule_timezone == "Europe/Berlin"
    for name in ("Berlin", "localtime", "../etc/passwd", ""):
        with pytest.raises(PostersError, match=r"kubeflow\.schedule_timezone: .*no time zone"):
            config.load("kubeflow", [f"kubeflow.schedule_timezone='{name}'"])


def test_a_nodes_resources_are_its_own_over_the_default():
    resources = ResourcesConfig(
        default={"cpu": 2, "memory_gb": 8},
        by_node={"Trainer": {"memory_gb": 30, "accelerator": "nvidia.com/gpu"}},
    )
    trainer = resources.of("Trainer")
    assert (trainer.cpu, trainer.memory_gb) == (2, 30)
    assert (trainer.accelerator, trainer.accelerator_count) == ("nvidia.com/gpu", 1)
    pusher = resources.of("Pusher")
    assert (pusher.cpu, pusher.memory_gb, pusher.accelerator) == (2, 8, None)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("resources.default.cpu=0", "resources.default.cpu: "),
        ("resources.by_node.Trainer.gpus=1", "resources.by_node.Trainer.gpus: no such key"),
        ("resources.by_node.Trainer.accelerator_count=0", "accelerator_count: "),
        ("vertex={}", "vertex.project: missing"),
    ],
)
def test_a_mistake_names_its_key(override, words):
    with pytest.raises(PostersError, match=words):
        config.load("kubeflow", [override])


def test_a_job_runs_on_one_cluster():
    vertex = config.load("vertex").vertex.model_dump(exclude_none=True)
    with pytest.raises(PostersError, match="a job runs on one cluster"):
        config.load("kubeflow", [f"vertex={vertex}"])


def test_a_run_on_this_machine_writes_to_the_workspace_alone():
    loaded = config.load("kubeflow", ["workspace=/w", "kubeflow.store=gs://bucket/posters/"])
    assert loaded.models_folder == "gs://bucket/posters/models"
    here = loaded.on_this_machine()
    assert (here.models_folder, here.pipeline_root) == ("/w/models", "/w/artifacts")
