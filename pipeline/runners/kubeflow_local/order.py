"""Which task waits for which, and so in which order tasks run."""

from __future__ import annotations

from collections.abc import Mapping

from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from components.errors import PostersError

_COMPLETED = spec_pb2.PipelineTaskSpec.TriggerPolicy.ALL_UPSTREAM_TASKS_COMPLETED


def upstream(task: spec_pb2.PipelineTaskSpec) -> set[str]:
    """The tasks that one waits for: those it names, and those whose outputs it takes."""
    needed = set(task.dependent_tasks)
    for given in task.inputs.artifacts.values():
        if given.HasField("task_output_artifact"):
            needed.add(given.task_output_artifact.producer_task)
    for given in task.inputs.parameters.values():
        if given.HasField("task_output_parameter"):
            needed.add(given.task_output_parameter.producer_task)
        if given.HasField("task_final_status"):
            needed.add(given.task_final_status.producer_task)
    return needed


def runs_whatever_happened(task: spec_pb2.PipelineTaskSpec) -> bool:
    """Whether the task runs after failures too, as an exit handler does."""
    return task.trigger_policy.strategy == _COMPLETED


def in_order(tasks: Mapping[str, spec_pb2.PipelineTaskSpec]) -> list[str]:
    """Names of tasks, each after those it waits for; by name where that leaves a choice.

    Raises:
      PostersError: a task waits for one that is not there, or for itself.
    """
    waiting = {name: upstream(task) for name, task in tasks.items()}
    for name, needed in waiting.items():
        if absent := sorted(needed - tasks.keys()):
            raise PostersError(
                f"{name} waits for {', '.join(absent)}, which is no task of its DAG."
            )
    ordered: list[str] = []
    while waiting:
        ready = sorted(name for name, needed in waiting.items() if needed.issubset(ordered))
        if not ready:
            raise PostersError(f"{', '.join(sorted(waiting))} wait for each other in a circle.")
        ordered.append(ready[0])
        del waiting[ready[0]]
    return ordered
