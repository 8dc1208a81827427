"""Goes through a job task by task, and says what became of each."""

from __future__ import annotations

import dataclasses
import logging
import shutil
import time
from collections.abc import Callable, Mapping
from typing import Literal

from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from pipeline.runners import guard
from pipeline.runners.kubeflow_local import conditions, inputs, order, support
from pipeline.runners.kubeflow_local.artifacts import Values, to_tfx
from pipeline.runners.kubeflow_local.leaf import Leaf, Places
from pipeline.runners.kubeflow_local.spec import Job
from pipeline.runners.kubeflow_local.store import Store, open_store
from pipeline.runners.reports import NodeFailedError, NodeReport
from pipeline.runners.usage import NOTHING

#: `not begun`: something before it failed.
_Outcome = Literal["succeeded", "skipped", "failed", "not begun"]
_FAILED = {"failed", "not begun"}


def run(
    job: Job,
    places: Places,
    before: Callable[[str, int, int], None],
    after: Callable[[NodeReport], None],
) -> list[NodeReport]:
    """Runs a job's tasks, each after those it waits for.

    After a failure only exit handlers start: those that run whatever happened before them. One run
    at a time may use what runs share; the caller sees to that.

    Args:
      job: as it was compiled.
      places: where things go.
      before: called with a task's name, its place from 1, and the number of tasks.
      after: called with what became of it.

    Returns:
      One report a task; a DAG within the DAG counts as its tasks.

    Raises:
      NodeFailedError: a task failed or was interrupted.
      PostersError: the job cannot be run here.
    """
    support.check(job)
    places.logs.mkdir(parents=True, exist_ok=True)
    with guard.interruptible(), open_store(places.state) as store:
        _remove_abandoned(places, store)
        under_way = _Run(job, Leaf(job, store, places), before, after)
        under_way.dag(job.root, Values(parameters=job.parameters))
    if under_way.failure:
        raise NodeFailedError(under_way.reports) from under_way.failure
    return under_way.reports


def _remove_abandoned(places: Places, store: Store) -> None:
    """Removes what tasks of a killed run wrote: no other run is under way."""
    for folder in places.artifacts.glob("*/*"):
        if not store.knows(folder):
            shutil.rmtree(folder)


@dataclasses.dataclass(frozen=True)
class _Dag:
    """One DAG under way: its tasks, its own inputs, and what became of tasks so far."""

    tasks: Mapping[str, spec_pb2.PipelineTaskSpec]
    scope: Values
    outcomes: dict[str, _Outcome] = dataclasses.field(default_factory=dict)
    made: dict[str, Values] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class _Run:
    """One run under way.

    Attributes:
      job: what runs.
      leaf: carries out one task that is no DAG.
      before: see `run`.
      after: see `run`.
      reports: so far.
      failure: what the first task that failed raised.
    """

    job: Job
    leaf: Leaf
    before: Callable[[str, int, int], None]
    after: Callable[[NodeReport], None]
    reports: list[NodeReport] = dataclasses.field(default_factory=list)
    failure: Exception | None = None

    def dag(self, component: spec_pb2.ComponentSpec, scope: Values) -> _Outcome:
        """Runs the tasks of one DAG, given the DAG's own inputs."""
        dag = _Dag(component.dag.tasks, scope)
        for name in order.in_order(dag.tasks):
            dag.outcomes[name], dag.made[name] = self._task(dag, name)
        failed = _FAILED & set(dag.outcomes.values())
        return "failed" if failed else "succeeded"

    def _task(self, dag: _Dag, name: str) -> tuple[_Outcome, Values]:
        task = dag.tasks[name]
        interrupted = guard.was_interrupted(self.failure)
        if interrupted or (self.failure and not order.runs_whatever_happened(task)):
            return "not begun", Values()
        component = self.job.component(task)
        if not component.HasField("dag"):
            self.before(name, len(self.reports) + 1, support.count_tasks(self.job))
        started = time.monotonic()
        state, made, used = "skipped", Values(), NOTHING
        try:
            given = self._given(dag, task)
            if given is not None and component.HasField("dag"):
                return self.dag(component, given), Values()
            if given is not None:
                state, made, used = self.leaf.run(name, task, given)
        except Exception as error:  # whatever goes wrong ends the run
            state, self.failure = "failed", self.failure or error
            logging.getLogger(__name__).error("%s failed", name, exc_info=error)
        seconds = time.monotonic() - started
        self.reports.append(NodeReport(name, state, seconds, used, to_tfx(made.artifacts)))
        self.after(self.reports[-1])
        return ("succeeded" if state in ("run", "cached") else state), made

    def _given(self, dag: _Dag, task: spec_pb2.PipelineTaskSpec) -> Values | None:
        """The inputs of a task, or None if it is not to run."""
        earlier = {dag.outcomes[needed] for needed in order.upstream(task)}
        if "skipped" in earlier and not order.runs_whatever_happened(task):
            return None

        def final_status(producer: str) -> str:
            failed = dag.outcomes[producer] in _FAILED
            error = str(self.failure) if failed else None
            return inputs.status_json(self.leaf.places.run_id, producer, error)

        component = self.job.component(task)
        given = inputs.resolve(task, component, dag.scope, dag.made, final_status)
        condition = task.trigger_policy.condition
        if condition and not conditions.holds(condition, inputs.to_expression(given)):
            return None
        return given
