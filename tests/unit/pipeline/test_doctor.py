"""`posters doctor`: each thing that can be wrong is found and comes with a way to mend it."""

import io
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from rich.console import Console

from components.trainer.extractor import EMBEDDED
from pipeline import doctor
from pipeline.findings import Finding, Status, hub, machine, stack

ADDRESS = "https://hub.example/feature_vector/5"
PINS = [Requirement("tfx==1.16.0"), Requirement("setuptools<81,>=70")]


def no_network(url):
    return "no route to host"


def test_python():
    assert stack.check_python((3, 10, 13)).status is Status.OK
    wrong = stack.check_python((3, 11, 2))
    assert wrong.status is Status.FAIL
    assert wrong.found == "3.11.2"
    assert ".venv/bin/posters" in wrong.mend


@pytest.mark.parametrize(
    ("system", "processor", "libc", "status"),
    [
        ("Linux", "x86_64", ("glibc", "2.17"), Status.OK),
        ("Linux", "x86_64", ("glibc", "2.36"), Status.OK),
        ("Linux", "x86_64", ("glibc", "2.9"), Status.FAIL),
        ("Linux", "x86_64", ("", ""), Status.FAIL),
        ("Linux", "aarch64", ("glibc", "2.36"), Status.FAIL),
        ("Darwin", "arm64", ("", ""), Status.FAIL),
    ],
)
def test_platform(system, processor, libc, status):
    finding = machine.check_platform(system, processor, libc)
    assert finding.status is status
    assert processor in finding.found
    assert bool(finding.mend) == (status is Status.FAIL)


def test_pins_as_they_should_be():
    versions = {"tfx": "1.16.0", "setuptools": "80.10.2"}
    findings = stack.check_pins(PINS, versions.get)
    assert [finding.status for finding in findings] == [Status.OK, Status.OK]


def test_pins_wrong_and_missing():
    tfx, setuptools = stack.check_pins(PINS, {"setuptools": "81.0.0"}.get)
    assert (tfx.status, setuptools.status) == (Status.FAIL, Status.FAIL)
    assert tfx.found == "not installed, should be ==1.16.0"
    assert setuptools.found.startswith("81.0.0, should be ")
    assert "make setup" in tfx.mend


def test_pins_unknown_where_the_package_is_not_installed():
    [finding] = stack.check_pins(None, {}.get)
    assert finding.status is Status.FAIL
    assert "make setup" in finding.mend


def test_installed_metadata_carries_the_pins():
    names = {requirement.name for requirement in stack.stack_requirements()}
    assert {"tfx", "tensorflow", "tensorflow-hub", "apache-beam", "dill", "setuptools"} <= names
    assert not names & {"pytest", "pydantic"}
    assert stack.installed_version("no-such-package-anywhere") is None


def fake_python(folder: Path, body: str) -> str:
    script = folder / "python"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return str(script)


def test_probe_reads_the_last_line(tmp_path):
    python = fake_python(tmp_path, """echo chatter; echo '{"tensorflow": "2.16.2", "gpus": []}'""")
    assert stack.probe_tensorflow(python) == {"tensorflow": "2.16.2", "gpus": []}


def test_probe_of_a_process_that_dies(tmp_path):
    python = fake_python(tmp_path, "echo 'illegal instruction' >&2; exit 132")
    assert stack.probe_tensorflow(python)["error"] == (
        "the process ended with status 132: illegal instruction"
    )


def test_probe_that_never_answers(tmp_path, monkeypatch):
    monkeypatch.setattr(stack, "PROBE_SECONDS", 0.2)
    python = fake_python(tmp_path, "exec sleep 60")
    assert "no answer within" in stack.probe_tensorflow(python)["error"]


def test_probe_without_tensorflow(tmp_path):
    # Isolated and without site-packages: a Python that has nothing installed.
    python = fake_python(tmp_path, f'exec {sys.executable} -I -S "$@"')
    assert stack.probe_tensorflow(python)["error"].startswith("ModuleNotFoundError")


@pytest.mark.parametrize(
    ("probe", "name"),
    [
        ({"error": "ModuleNotFoundError: tensorflow"}, "tensorflow import"),
        ({"tensorflow": "2.16.2", "gpus": [], "error": "no estimator"}, "tensorflow_hub import"),
    ],
)
def test_failed_imports(probe, name):
    finding = stack.check_tensorflow(probe, driver=False, environment={})[0]
    assert (finding.name, finding.status) == (name, Status.FAIL)
    assert finding.found == probe["error"]
    assert "make setup" in finding.mend


def gpu_finding(gpus, driver, environment):
    probe = {"tensorflow": "2.16.2", "hub": "0.16.1", "gpus": gpus}
    imports, gpu = stack.check_tensorflow(probe, driver, environment)
    assert imports.status is Status.OK
    return gpu


def test_gpu_seen_or_not_there():
    assert gpu_finding(["NVIDIA L4"], True, {}).found == "NVIDIA L4"
    assert gpu_finding([], False, {}).status is Status.OK


def test_gpu_not_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(stack, "site_packages", lambda: tmp_path)
    finding = gpu_finding([], True, {})
    assert finding.status is Status.WARN
    assert "tensorflow[and-cuda]==" in finding.mend


def test_gpu_hidden_by_a_variable():
    assert "CUDA_VISIBLE_DEVICES" in gpu_finding([], True, {"CUDA_VISIBLE_DEVICES": "-1"}).mend


def test_gpu_whose_libraries_are_not_found(tmp_path, monkeypatch):
    monkeypatch.setattr(stack, "site_packages", lambda: tmp_path)
    for part in ("cudnn", "cublas"):
        library = tmp_path / "nvidia" / part / "lib" / f"lib{part}.so.8"
        library.parent.mkdir(parents=True)
        library.touch()
    expected = f"LD_LIBRARY_PATH={tmp_path}/nvidia/cublas/lib:{tmp_path}/nvidia/cudnn/lib"
    assert gpu_finding([], True, {}).mend.endswith(expected)


def test_bytecode(tmp_path):
    assert stack.check_bytecode(tmp_path).status is Status.OK
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").touch()
    finding = stack.check_bytecode(tmp_path)
    assert finding.status is Status.WARN
    assert "compileall" in finding.mend


def test_variables(tmp_path):
    assert [finding.status for finding in stack.check_variables({})] == [Status.OK]
    (tmp_path / "numpy").mkdir()
    variables = {"PYTHONPATH": str(tmp_path), "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
    shadowed, slow = stack.check_variables(variables)
    assert (shadowed.status, shadowed.mend) == (Status.WARN, "unset PYTHONPATH")
    assert "numpy" in shadowed.found
    assert slow.mend == "unset PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"


@pytest.mark.parametrize(
    ("free", "status"), [(6, Status.OK), (5, Status.OK), (4, Status.WARN), (0.5, Status.FAIL)]
)
def test_disk_space(tmp_path, free, status):
    finding = machine.check_disk(tmp_path / "not" / "there" / "yet", int(free * machine.GIB))
    assert finding.status is status
    assert str(tmp_path) in finding.found
    assert not (tmp_path / "not").exists()
    assert ("--set workspace=" in finding.mend) == (status is not Status.OK)


def test_disk_of_this_machine(tmp_path):
    assert "GiB free" in machine.check_disk(tmp_path).found


def test_workspace_that_cannot_be_written(tmp_path):
    # A file where the folder should be: even root cannot write below it.
    (tmp_path / "file").touch()
    finding = machine.check_disk(tmp_path / "file")
    assert finding.status is Status.FAIL
    assert "cannot be written" in finding.found
    assert finding.mend


@pytest.mark.parametrize(("usable", "status"), [(8, "ok"), (3, "warn"), (1, "fail")])
def test_memory(usable, status):
    finding = machine.check_memory(usable * machine.GIB)
    assert finding.status.value == status
    assert bool(finding.mend) == (status != "ok")


def test_memory_limit_of_a_container(tmp_path):
    limit = tmp_path / "memory.max"
    limit.write_text("1048576\n")
    assert machine.usable_memory(limit) == 1048576
    limit.write_text("max\n")
    assert machine.usable_memory(limit) == pytest.approx(
        machine.usable_memory(tmp_path / "none"), rel=0.5
    )


def test_extractor_folder(tmp_path):
    assert hub.check_hub(None, {}, no_network).status is Status.OK
    missing = hub.check_hub(str(tmp_path / "missing"), {}, no_network)
    empty = hub.check_hub(str(tmp_path), {}, no_network)
    assert (missing.status, empty.status) == (Status.FAIL, Status.FAIL)
    assert missing.found.endswith("is no folder")
    assert empty.found.endswith("has no saved_model.pb")
    assert "trainer.hub_handle" in empty.mend
    (tmp_path / "saved_model.pb").touch()
    assert hub.check_hub(str(tmp_path), {}, no_network).status is Status.OK


def test_extractor_that_comes_with_the_project():
    assert "sample/extractor" in hub.check_hub(EMBEDDED, {}, no_network).found


def test_extractor_at_an_address(tmp_path):
    environment = {"TFHUB_CACHE_DIR": str(tmp_path)}
    asked = []
    reachable = hub.check_hub(ADDRESS, environment, lambda url: asked.append(url) or "")
    assert reachable.status is Status.OK
    assert asked == [f"{ADDRESS}?tf-hub-format=compressed"]

    unreachable = hub.check_hub(ADDRESS, environment, no_network)
    assert unreachable.status is Status.FAIL
    assert "no route to host" in unreachable.found
    assert "TFHUB_CACHE_DIR" in unreachable.mend


def test_extractor_in_the_cache(tmp_path):
    environment = {"TFHUB_CACHE_DIR": str(tmp_path)}
    # The SHA-1 of the address: what tensorflow_hub names its folders by.
    cached = tmp_path / "e85e26eae4a9d3d52140c000c894c7d6d455471f"
    (cached / "variables").mkdir(parents=True)
    half = hub.check_hub(ADDRESS, environment, lambda url: "")
    assert half.status is Status.FAIL
    assert half.mend == f"rm -r {cached}"
    (cached / "saved_model.pb").touch()
    assert hub.check_hub(ADDRESS, environment, no_network).status is Status.OK


def test_cloud_address_is_left_alone():
    assert hub.check_hub("gs://bucket/module", {}, no_network).status is Status.OK


def test_reach_says_why_not():
    # Port 9 of this machine: nothing listens there.
    assert "refused" in hub.reach("http://127.0.0.1:9/").lower()


def run(findings, monkeypatch) -> tuple[int, str]:
    monkeypatch.setattr(doctor, "diagnose", lambda hub_handle, workspace: findings)
    output = io.StringIO()
    status = doctor.run_doctor(None, Path("workspace"), Console(file=output, width=40))
    return status, output.getvalue()


def test_printed_lines_are_aligned_and_whole(monkeypatch):
    findings = [
        Finding("Python", Status.OK, "3.10.13"),
        Finding("tensorflow-hub", Status.FAIL, "0.15.0, should be ==0.16.1", "make setup"),
        Finding("tfx[x]", Status.FAIL, "not installed", "make setup"),
        Finding("disk", Status.WARN, "3.0 GiB free at " + "/long" * 20, "free some"),
    ]
    status, output = run(findings, monkeypatch)
    lines = output.splitlines()
    assert status == 1
    assert lines[0] == "ok    Python          3.10.13"
    assert lines[1] == "fail  tensorflow-hub  0.15.0, should be ==0.16.1"
    assert lines[2].strip() == "-> make setup"
    assert lines[3].startswith("fail  tfx[x] ")
    assert lines[4].endswith("/long" * 20), "a mend that was given already is not repeated"
    assert lines[-1] == "1 as they should be, 1 to watch, 2 to mend"


def test_warnings_alone_do_not_fail(monkeypatch):
    assert run([Finding("disk", Status.WARN, "3 GiB", "free some")], monkeypatch)[0] == 0


@pytest.mark.slow
def test_this_environment_has_the_stack(tmp_path):
    """The environment that `make test` set up is itself without a failure."""
    findings = doctor.diagnose(None, tmp_path)
    machine_dependent = {"disk", "memory"}
    wrong = [f for f in findings if f.status is Status.FAIL and f.name not in machine_dependent]
    assert wrong == []
