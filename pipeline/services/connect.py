"""Which service a runner's jobs go to."""

from __future__ import annotations

from typing import Any, Protocol

from components.errors import PostersError
from pipeline.config import Config
from pipeline.services.run import Run
from pipeline.services.schedules import Schedules


class Service(Protocol):
    """What every service can do; see `KubeflowService` and `VertexService`."""

    def check(self, job: dict[str, Any]) -> None:
        """Refuses a job that the service's own library does not take; asks no one."""

    def submit(self, job: dict[str, Any], name: str) -> Run:
        """Starts a run."""

    def run(self, run_id: str) -> Run:
        """Asks for a run."""


def connect(config: Config) -> Service:
    """The service that a configuration's jobs go to; this is where its libraries are imported.

    Raises:
      PostersError: the configuration names none, its extra is not installed, or there are no
        credentials.
    """
    if config.cluster is None:
        raise PostersError(
            "the configuration has neither a section kubeflow nor a section vertex, so there is "
            "nowhere to submit to. Begin with configs/kubeflow.yaml or configs/vertex.yaml; on "
            "this machine the DAG runs with posters run."
        )
    extra = "kubeflow" if config.kubeflow else "vertex"
    try:
        if config.kubeflow:
            from pipeline.services.kubeflow import KubeflowService

            return KubeflowService(config.kubeflow)
        from pipeline.services.vertex import VertexService

        return VertexService(config.vertex)
    except ModuleNotFoundError as error:
        raise PostersError(
            f"{error.name} is not installed: install the extra `{extra}`, or run make setup."
        ) from error


def connect_schedules(config: Config, service: Service) -> Schedules:
    """The schedules of a configuration's pipeline on a service; see `connect`.

    Raises:
      PostersError: there are no credentials.
    """
    if config.kubeflow:
        from pipeline.services.kubeflow_schedules import KubeflowSchedules

        return KubeflowSchedules(service, config.name)
    from pipeline.services.vertex_schedules import VertexSchedules

    return VertexSchedules(service, config.name)
