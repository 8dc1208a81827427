"""What of a compiled job can be run on this machine; it is all looked at before anything starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from components.errors import PostersError
from pipeline.runners.kubeflow_local import order
from pipeline.runners.kubeflow_local.spec import Job

#: Executors of TFX that hand their work on to a service of Google's.
_CLOUD_EXECUTORS = "tfx.extensions.google_cloud"
_Tasks = Mapping[str, spec_pb2.PipelineTaskSpec]


def check(job: Job) -> None:
    """Refuses a job that refers to what is not there, or that needs a service.

    Raises:
      PostersError: it names the task and what is wrong with it.
    """
    for name, problem in _problems(job, job.root.dag.tasks):
        raise PostersError(f"{name} cannot be run on this machine: {problem}.")
    for dag in _dags(job, job.root):
        order.in_order(dag.tasks)


def notes(job: Job) -> list[str]:
    """What the job asks for that has no effect on this machine, a sentence each."""
    found = []
    for name, task in _leaves(job, job.root.dag.tasks):
        wanted = job.executor(task).container.resources.accelerator
        if wanted.count and not _has_gpu():
            found.append(f"{name} asks for {wanted.count} {wanted.type}; here it has no GPU")
        if task.HasField("retry_policy"):
            found.append(f"{name} may be tried again on a cluster; here it is tried once")
    return found


def count_tasks(job: Job) -> int:
    """How many tasks do something; a DAG within the DAG counts as its tasks."""
    return len(list(_leaves(job, job.root.dag.tasks)))


def _dags(job: Job, component: spec_pb2.ComponentSpec) -> Iterator[spec_pb2.DagSpec]:
    yield component.dag
    for task in component.dag.tasks.values():
        if job.component(task).HasField("dag"):
            yield from _dags(job, job.component(task))


def _leaves(job: Job, tasks: _Tasks) -> Iterator[tuple[str, spec_pb2.PipelineTaskSpec]]:
    for name, task in sorted(tasks.items()):
        component = job.component(task)
        if component.HasField("dag"):
            yield from _leaves(job, component.dag.tasks)
        else:
            yield name, task


def _problems(job: Job, tasks: _Tasks) -> Iterator[tuple[str, str]]:
    for name, task in sorted(tasks.items()):
        component = job.components.get(task.component_ref.name)
        if component is None:
            yield name, f"there is no component {task.component_ref.name!r} in the job"
            continue
        for problem in (*_of_task(task), *_of_component(job, component)):
            yield name, problem
        if component.HasField("dag"):
            yield from _problems(job, component.dag.tasks)


def _of_task(task: spec_pb2.PipelineTaskSpec) -> Iterator[str]:
    for loop in ("artifact_iterator", "parameter_iterator"):
        if task.HasField(loop):
            yield f"it is a loop ({loop})"
    for key, given in task.inputs.parameters.items():
        if given.parameter_expression_selector:
            yield f"its parameter {key} is an expression ({given.parameter_expression_selector})"
        constant = given.runtime_value.constant
        if given.HasField("runtime_value") and not given.runtime_value.HasField("constant"):
            yield f"its parameter {key} has no constant value"
        elif "{{$" in constant.string_value:
            yield f"its parameter {key} holds a placeholder ({constant.string_value})"


def _of_component(job: Job, component: spec_pb2.ComponentSpec) -> Iterator[str]:
    if component.HasField("dag"):
        if json_format.MessageToDict(component.dag.outputs):
            yield "it is a DAG with outputs of its own"
        return
    executor = job.executors.get(component.executor_label)
    if executor is None:
        yield f"there is no executor {component.executor_label!r} in the job"
    elif executor.HasField("custom_job"):
        yield "it is a custom job of Vertex's"
    elif executor.WhichOneof("spec") is None:
        yield f"its executor {component.executor_label!r} says nothing of how to run it"
    elif executor.HasField("container"):
        yield from _of_container(executor.container)


def _of_container(
    container: spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec,
) -> Iterator[str]:
    if not container.command:
        yield f"its command is that of the image {container.image}, which is not pulled here"
    if container.lifecycle.pre_cache_check.command:
        yield "it has a driver, which Kubeflow's own backend does not run either"
    for argument in container.args:
        if argument.startswith(_CLOUD_EXECUTORS):
            yield (
                f"{argument} would hand the work to a service and cost money. Ask for resources of "
                "the node in place of worker_pool_specs"
            )


def _has_gpu() -> bool:
    return any(Path("/dev").glob("nvidia[0-9]*"))
