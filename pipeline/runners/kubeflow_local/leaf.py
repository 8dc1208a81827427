"""Carries out one task that is no DAG: container, importer or resolver, or what is cached of it."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from pipeline.runners.kubeflow_local import cache, importer, resolver
from pipeline.runners.kubeflow_local.artifacts import Values
from pipeline.runners.kubeflow_local.container import ContainerTask
from pipeline.runners.kubeflow_local.spec import Job
from pipeline.runners.kubeflow_local.store import Store
from pipeline.runners.reports import State
from pipeline.runners.usage import NOTHING, Used


@dataclasses.dataclass(frozen=True)
class Places:
    """Where a run keeps things.

    Attributes:
      root: what all runs of the pipeline share.
      logs: a file a task.
      run_id: unlike that of any other run.
    """

    root: Path
    logs: Path
    run_id: str

    @property
    def state(self) -> Path:
        """What is remembered between runs; see `store`."""
        return self.root / "state.sqlite"

    @property
    def artifacts(self) -> Path:
        """A folder a task, in it one a run."""
        return self.root / "artifacts"


@dataclasses.dataclass(frozen=True)
class Leaf:
    """Carries out tasks of one job."""

    job: Job
    store: Store
    places: Places

    def run(
        self, name: str, task: spec_pb2.PipelineTaskSpec, given: Values
    ) -> tuple[State, Values, Used]:
        """Carries out one task.

        Returns:
          `run` or `cached`, what it made, and what its processes used.
        """
        executor = self.job.executor(task)
        prefix = f"{self.places.run_id}/{name}"
        if executor.HasField("container"):
            return self._container(name, task, given, prefix)
        if executor.HasField("resolver"):
            found = resolver.resolve(executor.resolver, given, self.store)
        else:
            component = self.job.component(task)
            found = importer.import_artifact(
                executor.importer, component, given, self.store, prefix
            )
        # Finding what was found last time changes nothing.
        last = self.store.last_of(name)
        if last is not None and last.names() == found.names():
            return "cached", found, NOTHING
        self.store.record(name, found)
        return "run", found, NOTHING

    def _container(
        self, name: str, task: spec_pb2.PipelineTaskSpec, given: Values, prefix: str
    ) -> tuple[State, Values, Used]:
        container = self.job.executor(task).container
        work = ContainerTask(
            name=name,
            component=self.job.component(task),
            container=container,
            given=given,
            folder=self.places.artifacts / name / self.places.run_id,
            prefix=prefix,
            log=self.places.logs / f"{name}.log",
        )
        try:
            fingerprint = cache.fingerprint(self.job.name, work.component, container, given)
            if task.caching_options.enable_cache:
                found = self.store.cached(fingerprint)
                if found is not None:
                    return "cached", found, work.used
            made = work.execute()
            shutil.rmtree(work.folder / ".temp", ignore_errors=True)  # TFX's own, for Beam
            self.store.record(name, made, fingerprint, work.folder)
            return "run", made, work.used
        finally:
            if not self.store.knows(work.folder):
                shutil.rmtree(work.folder, ignore_errors=True)
