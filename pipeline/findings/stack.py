"""Python and the packages of the stack: versions, and whether TensorFlow imports and sees a GPU.

Works where the stack is missing or broken: installed versions are read from metadata, and
TensorFlow is imported in a process of its own only. What the versions should be has one source, the
`stack` extra in setup.py, which travels in this package's own metadata.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from packaging.requirements import Requirement

from pipeline.findings import Finding, Status

DISTRIBUTION = "poster-pipeline"
#: A machine whose disk is slow and whose bytecode is not compiled needs about a minute.
PROBE_SECONDS = 180
#: Packages that a folder on PYTHONPATH must not hide.
SHADOWED = ("tensorflow", "tfx", "apache_beam", "numpy")
#: Without its mark of completeness, set-up builds the environment anew.
MEND_INSTALL = (
    "rm -f .venv/.complete && make setup "
    "(elsewhere: pip install --no-deps -r requirements/lock.txt)"
)

_PROBE = """
import json
report = {}
try:
    import tensorflow as tf
    report["tensorflow"] = tf.__version__
    report["gpus"] = [
        tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
        for gpu in tf.config.list_physical_devices("GPU")
    ]
    import tensorflow_hub
    report["hub"] = tensorflow_hub.__version__
except Exception as error:
    report["error"] = f"{type(error).__name__}: {error}"
print("\\n" + json.dumps(report))
"""


def check_python(version: tuple[int, int, int]) -> Finding:
    """Whether this Python is one that the stack is made for."""
    found = ".".join(map(str, version))
    if version[:2] == (3, 10):
        return Finding("Python", Status.OK, found)
    mend = "TFX 1.16 needs 3.10: run .venv/bin/posters, which make setup brings"
    return Finding("Python", Status.FAIL, found, mend)


def stack_requirements() -> list[Requirement] | None:
    """The pins of the `stack` extra, or None if this package itself is not installed."""
    try:
        declared = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    requirements = [Requirement(line) for line in declared]
    return [
        requirement
        for requirement in requirements
        if requirement.marker
        and requirement.marker.evaluate({"extra": "stack"})
        and not requirement.marker.evaluate({"extra": ""})
    ]


def installed_version(name: str) -> str | None:
    """The version of an installed distribution, without importing it, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_pins(
    requirements: list[Requirement] | None, version_of: Callable[[str], str | None]
) -> list[Finding]:
    """Whether each pinned package is installed, in a version that is known to work.

    Args:
      requirements: the pins, or None if they cannot be known.
      version_of: gives the installed version of a package, or None.
    """
    if requirements is None:
        found = f"{DISTRIBUTION} is not installed, so its pins cannot be compared"
        return [Finding("pins", Status.FAIL, found, "make setup (elsewhere: pip install .)")]
    findings = []
    for requirement in requirements:
        version = version_of(requirement.name)
        if version is not None and requirement.specifier.contains(version, prereleases=True):
            findings.append(Finding(requirement.name, Status.OK, version))
        else:
            found = f"{version or 'not installed'}, should be {requirement.specifier}"
            findings.append(Finding(requirement.name, Status.FAIL, found, MEND_INSTALL))
    return findings


def probe_tensorflow(python: str = sys.executable) -> dict[str, object]:
    """Imports TensorFlow and its hub in a process of their own.

    Returns:
      `tensorflow` and `hub`, their versions; `gpus`, names; `error` if something went wrong. Keys
      whose step was not reached are missing.
    """
    # TensorFlow's own log goes to standard error, unless it is told to say only what is fatal.
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(
            [python, "-c", _PROBE],
            capture_output=True,
            text=True,
            env=environment,
            timeout=PROBE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"no answer within {PROBE_SECONDS} s"}
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return {"error": f"the process ended with status {done.returncode}: {last}"}


def has_nvidia_driver() -> bool:
    """Whether this machine has the driver of an NVIDIA GPU, seen by TensorFlow or not."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def check_tensorflow(
    probe: Mapping[str, object], driver: bool, environment: Mapping[str, str]
) -> list[Finding]:
    """Whether TensorFlow and its hub import, and whether TensorFlow sees the GPU that is there.

    Args:
      probe: what `probe_tensorflow` returned.
      driver: whether an NVIDIA driver is installed.
      environment: environment variables.
    """
    findings = []
    if "error" in probe:
        at_fault = "tensorflow_hub import" if "tensorflow" in probe else "tensorflow import"
        findings.append(Finding(at_fault, Status.FAIL, str(probe["error"]), MEND_INSTALL))
    else:
        findings.append(Finding("imports", Status.OK, "tensorflow and tensorflow_hub"))
    if "gpus" in probe:
        findings.append(_check_gpus(list(probe["gpus"]), driver, environment))
    return findings


def _check_gpus(gpus: list[str], driver: bool, environment: Mapping[str, str]) -> Finding:
    """Tells apart: GPUs seen, none there, hidden, or there but not seen by TensorFlow."""
    if gpus:
        return Finding("GPU", Status.OK, ", ".join(gpus))
    if not driver:
        return Finding("GPU", Status.OK, "no NVIDIA driver: training runs on the CPU")
    found = "an NVIDIA driver is there, but TensorFlow sees no GPU"
    if environment.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return Finding("GPU", Status.WARN, found, "unset CUDA_VISIBLE_DEVICES, which hides it")
    libraries = sorted({str(p.parent) for p in site_packages().glob("nvidia/*/lib/lib*.so*")})
    if libraries:
        mend = "TensorFlow does not find its CUDA libraries: export LD_LIBRARY_PATH="
        return Finding("GPU", Status.WARN, found, mend + ":".join(libraries))
    version = installed_version("tensorflow") or "2.16.2"
    mend = (
        'install its CUDA libraries, same version: "$(scripts/get-uv)" pip install '
        f"--python .venv/bin/python 'tensorflow[and-cuda]=={version}'"
    )
    return Finding("GPU", Status.WARN, found, mend)


def check_bytecode(packages: Path) -> Finding:
    """Whether TensorFlow's modules are compiled: if not, every process compiles them anew.

    Args:
      packages: the folder that packages are installed into.
    """
    module = packages / "tensorflow" / "__init__.py"
    if not module.exists():
        return Finding("bytecode", Status.OK, "no TensorFlow to compile")
    if Path(importlib.util.cache_from_source(str(module))).exists():
        return Finding("bytecode", Status.OK, "compiled")
    mend = f"python -m compileall -q -j 0 {packages}"
    found = "not compiled: each process takes 5 to 20 s longer to import the stack"
    return Finding("bytecode", Status.WARN, found, mend)


def check_variables(environment: Mapping[str, str]) -> list[Finding]:
    """Looks for environment variables that are known to break or slow the stack."""
    findings = []
    for folder in filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)):
        shadowing = [name for name in SHADOWED if (Path(folder) / name).is_dir()]
        if shadowing:
            found = f"PYTHONPATH has {folder}, whose {', '.join(shadowing)} hides the installed one"
            findings.append(Finding("variables", Status.WARN, found, "unset PYTHONPATH"))
    if environment.get("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION") == "python":
        found = "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python makes every example slow to read"
        mend = "unset PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"
        findings.append(Finding("variables", Status.WARN, found, mend))
    return findings or [Finding("variables", Status.OK, "none that break or slow the stack")]


def site_packages() -> Path:
    """The folder that this environment's packages are installed into."""
    return Path(str(importlib.metadata.distribution("packaging").locate_file("")))
