import pytest
from google.cloud.aiplatform_v1.types import AcceleratorType

from components.errors import PostersError
from pipeline.runners import accelerators
from pipeline.runners.capabilities import KUBEFLOW, VERTEX


def test_every_gpu_of_vertexs_api_is_known_and_no_other():
    """When Google adds or retires one, its library does too, and this fails."""
    api = {name for name in AcceleratorType.__members__ if name.startswith("NVIDIA_")}
    assert set(accelerators.VERTEX_GPUS) == api - {"NVIDIA_TESLA_K80"}


def test_what_is_retired_on_vertex_is_marked_so_in_its_api():
    assert "Deprecated: Nvidia Tesla K80" in " ".join(AcceleratorType.__doc__.split())


@pytest.mark.parametrize(
    ("name", "runner", "words"),
    [
        ("NVIDIA_TESLA_K80", VERTEX, ["Google retired it", "NVIDIA_TESLA_T4", "NVIDIA_L4"]),
        ("TPU_V3", VERTEX, ["the Trainer runs on GPUs"]),
        ("NVIDIA_T4", VERTEX, ["Vertex AI has none of that name", "NVIDIA_TESLA_T4"]),
        ("nvidia.com/gpu", VERTEX, ["Vertex AI has none of that name"]),
        ("NVIDIA_TESLA_T4", KUBEFLOW, ["nvidia.com/gpu", "nvidia.com/mig-1g.5gb"]),
        ("alpha.kubernetes.io/nvidia-gpu", KUBEFLOW, ["nvidia.com/gpu"]),
        ("amd.com/gpu", KUBEFLOW, ["that the Trainer can use"]),
    ],
)
def test_a_retired_or_unknown_name_is_refused_with_those_there_are(name, runner, words):
    with pytest.raises(PostersError) as error:
        accelerators.check("resources.by_node.Trainer.accelerator", name, runner)
    assert str(error.value).startswith(f"resources.by_node.Trainer.accelerator: {name}: ")
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    "name", ["nvidia.com/gpu", "nvidia.com/gpu.shared", "nvidia.com/mig-3g.20gb"]
)
def test_what_nvidias_plugin_offers_is_taken_on_kubeflow(name):
    accelerators.check("key", name, KUBEFLOW)


@pytest.mark.parametrize(
    ("machine", "accelerator", "count"),
    [
        ("n1-standard-8", "NVIDIA_TESLA_T4", 1),
        ("n1-highmem-16", "NVIDIA_TESLA_V100", 8),
        ("g2-standard-4", "NVIDIA_L4", 1),
        ("g2-standard-48", "NVIDIA_L4", 4),
        ("a2-highgpu-1g", "NVIDIA_TESLA_A100", 1),
        ("a3-highgpu-8g", "NVIDIA_H100_80GB", 8),
        ("n1-standard-8", None, 1),
        ("e2-standard-4", None, 1),
    ],
)
def test_machines_that_take_an_accelerator_are_taken(machine, accelerator, count):
    accelerators.check_machine("key", machine, accelerator, count)


@pytest.mark.parametrize(
    ("machine", "accelerator", "count", "words"),
    [
        ("e2-standard-4", "NVIDIA_TESLA_T4", 1, ["does not take NVIDIA_TESLA_T4", "n1-..."]),
        ("n1-standard-8", "NVIDIA_L4", 1, ["does not take NVIDIA_L4", "g2-standard-4"]),
        ("n1-standard-8", "NVIDIA_TESLA_T4", 3, ["takes 1 or 2 or 4 of", "not 3"]),
        ("a2-highgpu-4g", "NVIDIA_TESLA_A100", 1, ["takes 4 of", "not 1"]),
        ("a2-highgpu-1g", None, 1, ["comes with NVIDIA_TESLA_A100"]),
        ("g2-standard-4", None, 1, ["comes with NVIDIA_L4"]),
    ],
)
def test_machines_that_do_not_fit_are_refused(machine, accelerator, count, words):
    with pytest.raises(PostersError) as error:
        accelerators.check_machine("vertex.trainer_job", machine, accelerator, count)
    assert str(error.value).startswith(f"vertex.trainer_job: {machine} ")
    for word in words:
        assert word in str(error.value)
