"""Cores, memory and accelerators in a compiled job.

TFX takes them as a node's platform configuration, which it drops without a word for ExampleGen; so
they are written into the compiled job, for every container, and read back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.errors import PostersError
from pipeline.cluster_config import ResourcesConfig

Job = dict[str, Any]


def containers(job: Job) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields name and container, as JSON has it, of every node that runs one."""
    spec = job["pipelineSpec"]
    executors = spec["deploymentSpec"]["executors"]
    for name, component in sorted(spec["components"].items()):
        executor = executors.get(component.get("executorLabel"), {})
        if "container" in executor:
            yield name, executor["container"]


def write(job: Job, config: ResourcesConfig) -> None:
    """Writes every node's resources into a job.

    Raises:
      PostersError: a node is named that the job does not have.
    """
    names = {name for name, _ in containers(job)}
    if unknown := sorted(set(config.by_node) - names):
        raise PostersError(
            f"resources.by_node: there is no node {', '.join(unknown)} in the pipeline that runs "
            f"in a container; there are {', '.join(sorted(names))}."
        )
    for name, container in containers(job):
        container["resources"] = _spec(config, name)


def check(job: Job, config: ResourcesConfig) -> None:
    """Reads back through the job's own protos what was written.

    Raises:
      ValueError: a node would get other resources than the configuration says.
    """
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    deployment = json_format.ParseDict(
        job["pipelineSpec"]["deploymentSpec"], pipeline_spec_pb2.PipelineDeploymentConfig()
    )
    for name, component in job["pipelineSpec"]["components"].items():
        executor = deployment.executors[component["executorLabel"]]
        if executor.WhichOneof("spec") != "container":
            continue
        found, wanted = executor.container.resources, config.of(name)
        accelerators = (found.accelerator.type or None, found.accelerator.count or 1)
        if (
            (found.cpu_limit, found.memory_limit) != (wanted.cpu, wanted.memory_gb)
            or accelerators != (wanted.accelerator, wanted.accelerator_count)
        ):  # fmt: skip
            raise ValueError(f"the compiled {name} has {found}, not {wanted}")


def _spec(config: ResourcesConfig, node: str) -> dict[str, Any]:
    wanted = config.of(node)
    spec: dict[str, Any] = {"cpuLimit": wanted.cpu, "memoryLimit": wanted.memory_gb}
    if wanted.accelerator:
        spec["accelerator"] = {
            "type": wanted.accelerator,
            "count": str(wanted.accelerator_count),
        }
    return spec
