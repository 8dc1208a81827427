"""Whether a compiled job is whole: what a service would find out only when it runs, or not at all.

Nothing here asks a service.
"""

from __future__ import annotations

import graphlib
import re
from collections.abc import Iterator
from typing import Any

from components.errors import PostersError
from pipeline import secrets
from pipeline.cluster_config import check_image
from pipeline.runners.capabilities import Runner
from pipeline.runners.resources import containers

Job = dict[str, Any]

#: An input that a condition on a task speaks of.
_IN_CONDITION = re.compile(r"inputs\.artifacts\['([^']+)'\]")
_ROOT = re.compile(r"^(?P<scheme>[a-z0-9]+)://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](/[^/]+)*$")


def check(job: Job, runner: Runner) -> None:
    """Refuses a job that cannot run.

    Args:
      job: the PipelineJob as JSON has it.
      runner: what it was compiled for.

    Raises:
      PostersError: with everything that is wrong.
    """
    found = [*_unreadable(job), *_secrets(job)]
    if not found:  # else the rest would trip over the same
        found += [*_dangling(job), *_images(job), *_parameters(job), *_root(job, runner)]
    if found:
        lines = "\n".join(f"  {line}" for line in found)
        raise PostersError(f"the compiled job cannot run as it is:\n{lines}")


def _unreadable(job: Job) -> Iterator[str]:
    """What the specification's own protos do not take."""
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2 as protos

    try:
        json_format.ParseDict(job, protos.PipelineJob())
        spec = json_format.ParseDict(job["pipelineSpec"], protos.PipelineSpec())
        json_format.ParseDict(
            json_format.MessageToDict(spec.deployment_spec), protos.PipelineDeploymentConfig()
        )
    except (json_format.ParseError, KeyError) as error:
        yield f"it is no PipelineJob: {error}"


def _secrets(job: Job) -> Iterator[str]:
    """What got into the job from elsewhere than the configuration, which was searched on load."""
    for finding in secrets.find(job):
        yield (
            f"{finding.key} looks like a secret ({finding.what}), and services show a job to "
            "whoever may see its runs"
        )


def _dangling(job: Job) -> Iterator[str]:
    """Names that lead nowhere, inputs that nothing gives, and circles."""
    spec = job["pipelineSpec"]
    tasks, components = spec["root"]["dag"]["tasks"], spec["components"]
    graph: dict[str, set[str]] = {}
    for name, task in tasks.items():
        component = components.get(task["componentRef"]["name"])
        if component is None:
            yield f"{name}: there is no component {task['componentRef']['name']}"
            continue
        if component.get("executorLabel") not in spec["deploymentSpec"]["executors"]:
            yield f"{name}: nothing executes it"
        graph[name] = set(task.get("dependentTasks", ()))
        inputs = task.get("inputs", {})
        for kind in ("artifacts", "parameters"):
            wanted = component.get("inputDefinitions", {}).get(kind, {})
            for key in sorted(wanted.keys() ^ inputs.get(kind, {}).keys()):
                yield f"{name}: the input {key} is {'not given' if key in wanted else 'not known'}"
        condition = task.get("triggerPolicy", {}).get("condition", "")
        for key in sorted(
            set(_IN_CONDITION.findall(condition)) - inputs.get("artifacts", {}).keys()
        ):
            yield f"{name}: its condition asks for the input {key}, which is not given"
        for key, given in inputs.get("artifacts", {}).items():
            source = given["taskOutputArtifact"]
            graph[name].add(source["producerTask"])
            yield from _no_such_output(f"{name}: the input {key}", source, tasks, components)
    for name, needed in graph.items():
        for missing in sorted(needed - tasks.keys()):
            yield f"{name}: waits for {missing}, which is no task"
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        yield f"these wait for each other: {', '.join(error.args[1])}"


def _no_such_output(what: str, source: Job, tasks: Job, components: Job) -> Iterator[str]:
    producer = tasks.get(source["producerTask"])
    if producer is None:
        return  # said once, for the task
    made = components.get(producer["componentRef"]["name"], {}).get("outputDefinitions", {})
    key = source["outputArtifactKey"]
    if key not in made.get("artifacts", {}):
        yield f"{what}: {source['producerTask']} makes no {key}"


def _images(job: Job) -> Iterator[str]:
    for name, container in containers(job):
        try:
            check_image(container["image"])
        except ValueError as error:
            yield f"{name}: the image {container['image']}: {error}"


def _parameters(job: Job) -> Iterator[str]:
    given = job.get("runtimeConfig", {}).get("parameterValues", {})
    wanted = job["pipelineSpec"]["root"].get("inputDefinitions", {}).get("parameters", {})
    for name, definition in sorted(wanted.items()):
        if name not in given and "defaultValue" not in definition:
            yield f"the parameter {name} has no value"


def _root(job: Job, runner: Runner) -> Iterator[str]:
    root = job["runtimeConfig"].get("gcsOutputDirectory", "")
    if job["pipelineSpec"].get("defaultPipelineRoot") != root:
        yield "the specification has another pipeline root than the job"
    if runner.store_schemes:
        match = _ROOT.match(root)
        if not match or match["scheme"] not in runner.store_schemes:
            yield f"the pipeline root {root} is no folder in a bucket ({runner.section}.store)"
