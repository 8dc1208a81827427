"""`posters submit` and `posters status`: a store and a service on this machine."""

import re

import pytest

from components.store_path import StorePath
from pipeline.cli.main import FAILED, OK, main
from pipeline.services import vertex as vertex_module
from tests import gcs_server, kubeflow_server, vertex_server
from tests.spans import clean, write_span

IMAGE = "registry.example.com/posters:1.0"
STORE = f"gs://{gcs_server.BUCKET}/posters"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    process, address = gcs_server.start()
    patch.setenv("STORAGE_EMULATOR_HOST", address)
    gcs_server.skip_credentials()
    span = write_span(tmp_path_factory.mktemp("data"), 1, clean())
    root = StorePath(f"gs://{gcs_server.BUCKET}/data")
    for file in span.rglob("*.*"):
        target = root / span.name
        for part in file.relative_to(span).parts:
            target = target / part
        target.write_bytes(file.read_bytes())
    yield root
    process.terminate()
    process.wait()
    patch.undo()


def _arguments(verb: str, name: str, workspace, root: StorePath, *overrides: str) -> list[str]:
    settings = [
        f"workspace={workspace}",
        f"data_root={root}",
        f"{name}.store={STORE}",
        f"{name}.images={{default: '{IMAGE}'}}",
        "trainer.hub_handle=embedded",
        "image.size=96",
        *overrides,
    ]
    return [verb, "--config", name, *(f"--set={setting}" for setting in settings)]


PRICES = (
    "prices={currency: EUR, cpu_hour: 0.04, memory_gb_hour: 0.005, minutes: {default: 30},"
    " accelerator_hour: {nvidia.com/gpu: 2}}"
)


def test_cap_is_kept_before_anything_is_sent(store, tmp_path, capsys):
    with kubeflow_server.serving() as kubeflow:
        common = ("kubeflow", tmp_path, store, f"kubeflow.host={kubeflow.address}")
        command = [*_arguments("submit", *common, PRICES), "--yes", "--max-cost"]
        assert main([*command, "1.5"]) == FAILED
        captured = capsys.readouterr()
        assert "Estimated, if nothing is cached: " in captured.out
        assert "--max-cost 1.5: the run would cost about" in captured.err
        assert " EUR: Trainer 1.2" in captured.err
        assert not kubeflow.runs
        assert main([*command, "5"]) == OK
        assert list(kubeflow.runs) == ["run-1"]
        assert main([*_arguments("submit", *common), "--yes", "--max-cost", "5"]) == FAILED
        assert "no section prices" in capsys.readouterr().err


def test_to_kubeflow_and_back(store, tmp_path, capsys):
    with kubeflow_server.serving() as kubeflow:
        common = ("kubeflow", tmp_path, store, f"kubeflow.host={kubeflow.address}")
        assert main([*_arguments("submit", *common), "--yes"]) == OK
        printed = capsys.readouterr().out
        assert "posters-kubeflow, span 1, for kubeflow" in printed
        assert "nothing was submitted from this workspace before" in printed
        assert "Submitted run-1" in printed
        sent = kubeflow.runs["run-1"]
        assert sent["runtime_config"]["pipeline_root"] == f"{STORE}/artifacts"
        tasks = sent["pipeline_spec"]["root"]["dag"]["tasks"]
        schema = tasks["ImportSchemaGen"]["inputs"]["parameters"]["schema_file"]
        assert b"feature" in StorePath(schema["runtimeValue"]["constant"]).read_bytes()

        assert main([*_arguments("submit", *common), "--yes"]) == OK
        assert "the same job as run-1" in capsys.readouterr().out

        changed = _arguments("submit", *common, "trainer.learning_rate=0.5")
        assert main(changed) == FAILED  # nobody to ask, and no --yes
        captured = capsys.readouterr()
        assert "settings.learning_rate: 0.001 -> 0.5" in captured.out.replace("\n", "")
        assert "--yes" in captured.err
        assert list(kubeflow.runs) == ["run-1", "run-2"]

        assert main(_arguments("status", *common)) == OK
        assert capsys.readouterr().out.startswith("run-2: pending")
        kubeflow.details = {"state": "FAILED", "error": {"message": "no GPU left"}}
        assert main([*_arguments("status", *common), "run-1"]) == FAILED
        printed = capsys.readouterr().out
        assert printed.startswith("run-1: failed")
        assert "no GPU left" in printed


def test_to_vertex_and_back(store, tmp_path, capsys, monkeypatch):
    overrides = (
        "vertex.project=mine", "vertex.service_account=runner@mine.iam.gserviceaccount.com"
    )  # fmt: skip
    with vertex_server.serving() as vertex:
        monkeypatch.setattr(vertex_module, "connect", lambda kind, config: vertex.client(kind))
        submit = _arguments("submit", "vertex", tmp_path, store, *overrides)
        assert main([*submit, "--yes"]) == OK
        (name,) = vertex.pipeline_jobs
        assert name.startswith("projects/mine/locations/europe-west4/pipelineJobs/posters-vertex-2")
        assert f"Submitted {name}" in capsys.readouterr().out.replace("\n", "")
        assert main(_arguments("status", "vertex", tmp_path, store, *overrides)) == OK
        assert "pending" in capsys.readouterr().out


def _schedule(action: str, *words: str, runner: str, common: tuple) -> list[str]:
    rest = _arguments("schedule", runner, *common)[1:]
    return ["schedule", action, *words, "--runner", runner, *rest]


def test_a_schedule_on_kubeflow(store, tmp_path, capsys):
    with kubeflow_server.serving() as kubeflow:
        common = (tmp_path, store, f"kubeflow.host={kubeflow.address}", PRICES)
        cron = ["nightly", "--cron", "0 3 * * mon"]
        create = _schedule("create", *cron, runner="kubeflow", common=common)
        assert main([*create, "--yes", "--max-cost", "1.5"]) == FAILED
        assert "--max-cost 1.5: the run would cost about" in capsys.readouterr().err
        assert main(create) == FAILED  # nobody to ask, and no --yes
        assert "--yes" in capsys.readouterr().err
        assert not kubeflow.recurring_runs

        assert main([*create, "--yes", "--max-cost", "5"]) == OK
        printed = capsys.readouterr().out
        assert "posters-kubeflow for kubeflow" in printed
        assert "nightly: `0 3 * * mon` in UTC; it fires" in printed
        cost = float(re.search(r"hours, ([\d.]+) EUR by your prices", printed)[1])
        month = float(
            re.search(r"A month, 4\.3 times, if all of them train: ([\d.]+) EUR", printed)[1]
        )
        assert month == pytest.approx(cost * 52 / 12, abs=0.05)
        assert "Created recurring-1" in printed
        (sent,) = kubeflow.recurring_runs.values()
        assert sent["display_name"] == "posters-kubeflow.nightly"
        assert "RetrainDecision" in sent["pipeline_spec"]["root"]["dag"]["tasks"]
        assert not kubeflow.runs

        assert main([*create, "--yes"]) == FAILED
        assert "a schedule nightly of this pipeline" in capsys.readouterr().err
        states = {"pause": "paused", "resume": "active", "delete": "There is no schedule"}
        for action, shown in states.items():
            assert main(_schedule(action, "nightly", runner="kubeflow", common=common)) == OK
            assert main(_schedule("list", runner="kubeflow", common=common)) == OK
            assert shown in capsys.readouterr().out


def test_a_schedule_on_vertex(store, tmp_path, capsys, monkeypatch):
    common = (
        tmp_path, store, "vertex.project=mine",
        "vertex.service_account=runner@mine.iam.gserviceaccount.com",
    )  # fmt: skip
    with vertex_server.serving() as vertex:
        monkeypatch.setattr(vertex_module, "connect", lambda kind, config: vertex.client(kind))
        cron = ["--cron", "30 2 * * *", "--timezone", "America/New_York"]
        assert main([*_schedule("create", *cron, runner="vertex", common=common), "--yes"]) == OK
        (made,) = vertex.schedules.values()
        assert made.display_name == "posters-vertex.retrain"
        assert made.cron == "TZ=America/New_York 30 2 * * *"
        assert f"Created {made.name}" in capsys.readouterr().out.replace("\n", "")
        assert not vertex.pipeline_jobs
        states = {"pause": "paused", "resume": "active", "delete": "There is no schedule"}
        for action, shown in states.items():
            assert main(_schedule(action, "retrain", runner="vertex", common=common)) == OK
            assert main(_schedule("list", runner="vertex", common=common)) == OK
            assert shown in capsys.readouterr().out


@pytest.mark.parametrize("name", ["kubeflow", "vertex"])
def test_what_is_not_filled_in_is_refused_by_its_key(name, capsys):
    assert main(["submit", "--config", name, "--yes"]) == FAILED
    refused = capsys.readouterr().err
    assert f"data_root, {name}." in refused
    assert f"{name}.store" in refused
    assert f"{name}.images.default, {name}.images.by_node.Trainer" in refused


def test_there_is_nowhere_to_submit_the_sample(tmp_path, capsys):
    assert main(["submit", "--config", "sample", "--set", f"workspace={tmp_path}"]) == FAILED
    assert "neither a section kubeflow nor a section vertex" in capsys.readouterr().err


def test_without_a_record_status_asks_for_the_runs_name(tmp_path, capsys):
    assert main(["status", "--config", "kubeflow", "--set", f"workspace={tmp_path}"]) == FAILED
    assert f"nothing was submitted from {tmp_path}" in capsys.readouterr().err


def test_a_data_root_that_cannot_be_read_is_named(store, tmp_path, capsys):
    with kubeflow_server.serving() as kubeflow:
        settings = (f"kubeflow.host={kubeflow.address}",)
        elsewhere = StorePath("gs://no-such-bucket/data")
        submit = _arguments("submit", "kubeflow", tmp_path, elsewhere, *settings)
        assert main([*submit, "--yes"]) == FAILED
        assert "data_root: gs://no-such-bucket/data" in capsys.readouterr().err
        assert not kubeflow.requests
