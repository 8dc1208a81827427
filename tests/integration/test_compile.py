"""The DAG as compiled for every runner."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.errors import PostersError
from components.files import file_digest
from pipeline import config as configuration
from pipeline import dag, windows
from pipeline.runners import kubeflow
from pipeline.runners.capabilities import DIFFERENCES, KUBEFLOW, LOCAL, RUNNERS, VERTEX
from tests.spans import VOCABULARY, clean, write_span

ROOT = Path(__file__).parents[2]
ON_THIS_MACHINE = ("trainer.hub_handle=embedded", "image.size=96")
CUSTOM_JOB = (
    "vertex.trainer_job={machine_type: n1-standard-16, accelerator: NVIDIA_TESLA_T4, "
    "accelerator_count: 2, boot_disk_gb: 200}",
    "resources.by_node.Trainer={cpu: 1, memory_gb: 4}",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_span(root, 1, clean())
    write_span(root, 2, clean())
    return root


def _config(name: str, folder: Path, *overrides: str) -> configuration.Config:
    return configuration.load(name, [f"workspace={folder}", *ON_THIS_MACHINE, *overrides])


def _job(name: str, root: Path, folder: Path, *overrides: str) -> dict:
    config = _config(name, folder, *overrides)
    window = windows.resolve_in_copy(config, root)
    return kubeflow.compile(config, window, folder / f"{name}.json")


def _containers(job: dict) -> dict[str, dict]:
    spec = job["pipelineSpec"]
    executors = spec["deploymentSpec"]["executors"]
    return {
        name: executors[component["executorLabel"]]["container"]
        for name, component in spec["components"].items()
    }


def _edges(job: dict) -> dict[str, set[str]]:
    """By task, the tasks that it takes something from or waits for."""
    return {
        name: set(task.get("dependentTasks", ()))
        | {
            given["taskOutputArtifact"]["producerTask"]
            for given in task.get("inputs", {}).get("artifacts", {}).values()
        }
        for name, task in job["pipelineSpec"]["root"]["dag"]["tasks"].items()
    }


EVERYTHING = (
    "trainer.warm_start=true",
    "tuner={trials: 2}",
    "bulk_inferrer={examples: gs://your-bucket/new}",
)


@pytest.mark.parametrize(
    "overrides",
    [(), EVERYTHING, ("bulk_inferrer={}",)],
    ids=["plain", "every optional node", "own examples"],
)
def test_every_runner_has_the_same_nodes_and_edges(root, tmp_path, overrides):
    config = _config("sample", tmp_path, f"data_root={root}", *overrides)
    window = windows.resolve(config)
    local = {node.id: node for node in dag.create_pipeline(config, window, LOCAL).components}
    wanted = {name: {up.id for up in node.upstream_nodes} for name, node in local.items()}
    jobs = [
        kubeflow.compile(config, window, tmp_path / "here.json"),
        _job("kubeflow", root, tmp_path, *overrides),
        _job("vertex", root, tmp_path, *overrides),
        _job("vertex", root, tmp_path, *CUSTOM_JOB, *overrides),
    ]
    for job in jobs:
        assert _edges(job) == wanted
    compiled = dag.create_pipeline(config, window, KUBEFLOW).components
    others = {node.id for node in compiled if node.type != local[node.id].type}
    assert others <= DIFFERENCES.keys()
    assert others == ({"BaselineResolver", "WarmStartResolver"} & wanted.keys())


@pytest.mark.parametrize("name", ["kubeflow", "vertex"])
def test_in_a_scheduled_job_everything_hangs_on_the_decision(root, tmp_path, name):
    config = _config(name, tmp_path, "window={last: 3}", "exclude_spans=[1]")
    window = windows.resolve_in_copy(config, root)
    plain = _edges(kubeflow.compile(config, window, tmp_path / "plain.json"))
    job = kubeflow.compile(config, window, tmp_path / "scheduled.json", scheduled=True)
    edges, tasks = _edges(job), job["pipelineSpec"]["root"]["dag"]["tasks"]
    assert edges.pop("RetrainOutcome") == {
        "RetrainDecision", "Evaluator", "ServingCheck", "Pusher",
    }  # fmt: skip
    assert edges.pop("RetrainDecision") == set()
    assert edges == {node: ups | {"RetrainDecision"} for node, ups in plain.items()}
    decision = tasks.pop("RetrainDecision")
    assert decision["cachingOptions"] == {"enableCache": False}
    assert "triggerPolicy" not in decision
    for node, task in tasks.items():
        condition = task["triggerPolicy"]["condition"]
        assert condition.endswith("metadata['retrain'] == 1.0)"), node
        asks_for = {"ExampleGen": "window", "RetrainOutcome": "decision"}
        key = asks_for.get(node, "_RetrainDecision.decision")
        assert f"inputs.artifacts['{key}']" in condition, node
    # The rule goes with the job, and what it means is found each time.
    asked = decision["inputs"]["parameters"]["question"]["runtimeValue"]["constant"]
    question = json.loads(asked)
    assert (question["window"], question["exclude_spans"]) == ({"last": 3}, [1])
    assert question["decisions_folder"] == "gs://your-bucket/posters/decisions"
    assert all(span.digest not in json.dumps(job) for span in window.spans)
    assert job["labels"]["window"] == "scheduled"
    # Nothing of it stays for the next job.
    assert _edges(kubeflow.compile(config, window, tmp_path / "again.json")) == plain
    again = (tmp_path / "again.json").read_text()
    assert again == (tmp_path / "plain.json").read_text()


@pytest.mark.parametrize("name", ["kubeflow", "vertex"])
@pytest.mark.parametrize(
    ("overrides", "producer"),
    [((), "ExampleGen"), (("trainer.fine_tune={epochs: 2}",), "Transform")],
    ids=["frozen", "fine-tuned"],
)
def test_transform_stores_images_only_for_who_fine_tunes(root, tmp_path, name, overrides, producer):
    job = _job(name, root, tmp_path, "tuner={trials: 2}", "trainer.warm_start=true", *overrides)
    spec = job["pipelineSpec"]
    outputs = spec["components"]["Transform"]["outputDefinitions"]["artifacts"]
    assert ("transformed_examples" in outputs) == (producer == "Transform")
    tasks = spec["root"]["dag"]["tasks"]
    for node in ("Tuner", "WarmStartResolver", "Trainer"):
        given = tasks[node]["inputs"]
        assert given["artifacts"]["examples"]["taskOutputArtifact"]["producerTask"] == producer
        # For its graph, and so that all of them wait for the gate.
        graph = given["artifacts"]["transform_graph"]["taskOutputArtifact"]
        assert graph["producerTask"] == "Transform"
        if node != "WarmStartResolver":
            for key, split in (("train_args", "train"), ("eval_args", "eval")):
                told = given["parameters"][key]["runtimeValue"]["constant"]
                assert json.loads(told)["splits"] == [split]


def test_what_differs_is_said_once_a_node():
    assert set(DIFFERENCES) == {
        "BaselineResolver", "WarmStartResolver", "RetrainDecision", "RetrainOutcome",
    }  # fmt: skip
    assert len({runner.name for runner in RUNNERS}) == len(RUNNERS)


@pytest.mark.parametrize(
    ("name", "accelerator"), [("kubeflow", "nvidia.com/gpu"), ("vertex", "NVIDIA_TESLA_T4")]
)
def test_every_node_has_its_resources_and_its_image(root, tmp_path, name, accelerator):
    job = _job(name, root, tmp_path, "resources.by_node.Transform={cpu: 2}")
    containers = _containers(job)
    assert len(containers) == 12
    resources = {
        node: (held["cpuLimit"], held["memoryLimit"], held.get("accelerator"))
        for node, held in ((node, container["resources"]) for node, container in containers.items())
    }
    small, usual = (1.0, 4.0, None), (4.0, 16.0, None)
    assert resources == {
        "ExampleGen": small,
        "ImportSchemaGen": small,
        "StatisticsGen": usual,
        "ExampleValidator": usual,
        "DataGate": usual,
        "Transform": (2.0, 16.0, None),
        "Trainer": (8.0, 30.0, {"type": accelerator, "count": "1"}),
        "BaselineResolver": usual,
        "Evaluator": usual,
        "ServingCheck": usual,
        "Pusher": small,
        "RunReport": usual,
    }
    images = {node: container["image"].rpartition("/")[2] for node, container in containers.items()}
    assert images.pop("Trainer") == "posters-gpu:0.1.0"
    assert set(images.values()) == {"posters-cpu:0.1.0"}


def test_a_job_says_where_it_reads_and_writes_and_which_span(root, tmp_path):
    job = _job("kubeflow", root, tmp_path, "window=[1, 2]")
    tasks = job["pipelineSpec"]["root"]["dag"]["tasks"]

    def given(task: str) -> dict:
        parameters = tasks[task]["inputs"]["parameters"]
        return {name: value["runtimeValue"]["constant"] for name, value in parameters.items()}

    store = "gs://your-bucket/posters"
    assert given("ExampleGen")["data_root"] == "gs://your-bucket/data"
    digests = {str(n): file_digest(root / f"span-{n}" / "manifest.json") for n in (1, 2)}
    assert json.loads(given("ExampleGen")["spans"]) == digests
    assert json.loads(given("ExampleGen")["labels"]) == list(VOCABULARY)
    assert given("ExampleGen")["accepted_folder"] == given("DataGate")["accepted_folder"]
    assert given("DataGate")["accepted_folder"].startswith(f"{store}/gate/")
    assert given("BaselineResolver")["models_folder"] == f"{store}/models"
    assert f"{store}/models" in given("Pusher")["push_destination"]
    assert given("ImportSchemaGen")["schema_file"].startswith(f"{store}/artifacts/schema/")
    assert json.loads(given("Trainer")["custom_config"])["feature_cache"].startswith("/tmp/")
    assert json.loads(given("BaselineResolver")["labels"]) == list(VOCABULARY)
    assert job["displayName"] == "posters-kubeflow-spans-1-2"
    assert job["labels"]["window"] == "spans-1-2"
    assert job["runtimeConfig"] == {"gcsOutputDirectory": f"{store}/artifacts"}
    assert job["pipelineSpec"]["schemaVersion"] == "2.1.0"
    assert str(tmp_path) not in json.dumps(job)
    assert not list(tmp_path.glob("artifacts*"))  # nothing is staged before submit


def test_both_forms_of_the_file_say_the_same(root, tmp_path):
    config = _config("kubeflow", tmp_path)
    window = windows.resolve_in_copy(config, root)
    job = kubeflow.compile(config, window, tmp_path / "job.json")
    assert json.loads((tmp_path / "job.json").read_text()) == job
    assert kubeflow.compile(config, window, tmp_path / "job.yaml") == job
    spec = yaml.safe_load((tmp_path / "job.yaml").read_text())
    assert spec == job["pipelineSpec"]
    # What only the whole job has otherwise.
    assert spec["defaultPipelineRoot"] == job["runtimeConfig"]["gcsOutputDirectory"]
    with pytest.raises(PostersError, match=r"--out .*\.txt: name a file that ends in"):
        kubeflow.compile(config, window, tmp_path / "job.txt")


def test_containers_import_everything_by_dotted_path(root, tmp_path):
    for name, container in _containers(_job("vertex", root, tmp_path, *CUSTOM_JOB)).items():
        assert container["command"][:2] == ["python", "-m"]
        path = container["args"][container["args"].index("--executor_class_path") + 1]
        assert path.startswith(("components.", "tfx.")), name


def test_unknown_nodes_are_refused_by_their_key(root, tmp_path):
    with pytest.raises(PostersError, match=r"resources\.by_node: there is no node Tranier"):
        _job("kubeflow", root, tmp_path, "resources.by_node.Tranier={cpu: 1}")
    with pytest.raises(PostersError, match=r"kubeflow\.images\.by_node: there is no node Tranier"):
        _job("kubeflow", root, tmp_path, "kubeflow.images.by_node.Tranier=a/b:1")


_WATCHED = """
import sys
import google.auth
def refuse(*_, **__):
    raise AssertionError("credentials were looked for")
google.auth.default = refuse
from pipeline.cli.main import main
assert main(sys.argv[1:]) == 0
clients = ("google.cloud.aiplatform", "kfp.client", "kfp_server_api", "kfp.dsl")
assert not [name for name in sys.modules if name.startswith(clients)], "a client was imported"
assert "kfp.pipeline_spec" in sys.modules
"""


def test_compiling_imports_no_client_and_looks_for_no_credentials(root, tmp_path):
    arguments = [
        "compile", "--config", "vertex", "--data", str(root), "--out", str(tmp_path / "job.json"),
        *(f"--set={value}" for value in (f"workspace={tmp_path}", *CUSTOM_JOB)),
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "posters-vertex, span 2, 4 labels, 12 containers for vertex" in done.stdout


def test_each_platform_compiles_for_itself(root, tmp_path):
    assert kubeflow.runner_of(_config("kubeflow", tmp_path)) is KUBEFLOW
    assert kubeflow.runner_of(_config("vertex", tmp_path)) is VERTEX
    on_vertex = _config("vertex", tmp_path)
    assert on_vertex.on_this_machine().pipeline_root == f"{tmp_path}/artifacts"
    assert on_vertex.pipeline_root == "gs://your-bucket/posters/artifacts"
