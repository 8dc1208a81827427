"""Vertex AI Pipelines over its gRPC API."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import google.auth.exceptions
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform, aiplatform_v1
from google.cloud.aiplatform_v1 import PipelineServiceClient

from components.errors import PostersError
from pipeline.cluster_config import VertexConfig
from pipeline.services import retry
from pipeline.services.run import Run, State

_STATES: dict[str, State] = {
    "PIPELINE_STATE_QUEUED": "pending",
    "PIPELINE_STATE_PENDING": "pending",
    "PIPELINE_STATE_RUNNING": "running",
    "PIPELINE_STATE_PAUSED": "running",
    "PIPELINE_STATE_CANCELLING": "running",
    "PIPELINE_STATE_SUCCEEDED": "succeeded",
    "PIPELINE_STATE_FAILED": "failed",
    "PIPELINE_STATE_CANCELLED": "cancelled",
}
_TRANSIENT = (exceptions.ServiceUnavailable, exceptions.DeadlineExceeded, exceptions.Aborted)
#: How long one answer may take.
SECONDS = 60
T, C = TypeVar("T"), TypeVar("C")
_LOG_IN = "gcloud auth application-default login"


class VertexService:
    """Submits jobs and asks for runs."""

    def __init__(
        self,
        config: VertexConfig,
        client: PipelineServiceClient | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Looks for credentials, and asks nothing yet.

        Args:
          config: the section `vertex`.
          client: of the service; by default that of the configured region.
          sleep: waits between two tries.

        Raises:
          PostersError: there are no credentials.
        """
        self.config, self._sleep = config, sleep
        self._client = client or connect(PipelineServiceClient, config)

    def check(self, job: dict[str, Any]) -> None:
        """Has the service's own library read a compiled job; asks no one.

        Raises:
          PostersError: it does not take it.
        """
        self.message(job, "check")

    def submit(self, job: dict[str, Any], name: str) -> Run:
        """Starts a run of a compiled job.

        Args:
          job: the PipelineJob as JSON has it.
          name: of the run; no other run has it, so that a try that was lost is found again.

        Raises:
          PostersError: the API cannot be reached or refuses; it says what to do.
        """
        message = self.message(job, name)
        parent = self.parent
        tries = 0

        def create() -> aiplatform_v1.PipelineJob:
            nonlocal tries
            tries += 1
            try:
                return self._client.create_pipeline_job(
                    parent=parent, pipeline_job=message, pipeline_job_id=name, timeout=SECONDS
                )
            except exceptions.AlreadyExists:
                if tries == 1:
                    raise  # it is another's
                # An earlier try came through; its answer did not.
                return self._client.get_pipeline_job(
                    name=f"{parent}/pipelineJobs/{name}", timeout=SECONDS
                )

        return self._to_run(self.ask(create))

    def run(self, run_id: str) -> Run:
        """Asks for a run by its full resource name.

        Raises:
          PostersError: there is none of that name, or see `submit`.
        """
        return self._to_run(
            self.ask(lambda: self._client.get_pipeline_job(name=run_id, timeout=SECONDS))
        )

    @property
    def parent(self) -> str:
        """The project's place that everything is created in."""
        return f"projects/{self.config.project}/locations/{self.config.region}"

    def message(self, job: dict[str, Any], name: str) -> aiplatform_v1.PipelineJob:
        """A compiled job as the API takes it.

        Raises:
          PostersError: the service's own library does not take it.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "job.json"
            path.write_text(json.dumps(job), encoding="utf-8")
            try:
                made = aiplatform.PipelineJob(
                    display_name=job["displayName"],
                    template_path=str(path),
                    job_id=name,
                    labels=job.get("labels"),
                    project=self.config.project,
                    location=self.config.region,
                    # Nothing is asked here; the client below has the real ones.
                    credentials=AnonymousCredentials(),
                )
            except (ValueError, TypeError, KeyError) as error:
                raise PostersError(
                    f"Vertex AI's library refuses the compiled job: {error}"
                ) from error
        message = aiplatform_v1.PipelineJob(made._gca_resource)
        message.service_account = self.config.service_account
        if self.config.network:
            message.network = self.config.network
        return message

    def ask(self, action: Callable[[], T]) -> T:
        """Asks the API, again if it could not answer.

        Args:
          action: asks once, and does no harm when it is done twice.

        Raises:
          PostersError: it cannot be reached or refuses; it says what to do.
        """
        try:
            return retry.call(action, lambda error: isinstance(error, _TRANSIENT), self._sleep)
        except google.auth.exceptions.GoogleAuthError as error:
            raise _no_credentials(error) from error
        except exceptions.GoogleAPICallError as error:
            raise self._explain(error) from error

    def _explain(self, error: exceptions.GoogleAPICallError) -> PostersError:
        said = error.message
        config = self.config
        if isinstance(error, exceptions.ResourceExhausted):
            return PostersError(
                f"Vertex AI refuses for lack of quota: {said}. Ask for more under IAM & Admin > "
                f"Quotas for {config.region}, take another vertex.region, or ask for less under "
                "`resources` or vertex.trainer_job."
            )
        if isinstance(error, exceptions.Unauthenticated):
            return _no_credentials(error)
        if isinstance(error, exceptions.PermissionDenied):
            return PostersError(
                f"Vertex AI does not allow it: {said}. You need roles/aiplatform.user in "
                f"{config.project} and roles/iam.serviceAccountUser on {config.service_account}, "
                "and the Vertex AI API must be enabled; docs/vertex.md lists the roles."
            )
        if isinstance(error, exceptions.NotFound):
            return PostersError(
                f"Vertex AI does not find it: {said}. Look at vertex.project ({config.project}) "
                f"and vertex.region ({config.region}), and at the name."
            )
        if isinstance(error, _TRANSIENT):
            return PostersError(
                f"Vertex AI in {config.region} cannot be reached, {len(retry.PAUSES) + 1} tries: "
                f"{said}. Look at the network and its proxy, and at status.cloud.google.com; then "
                "try again."
            )
        return PostersError(f"Vertex AI refuses the request: {said}")

    def _to_run(self, answer: aiplatform_v1.PipelineJob) -> Run:
        number = answer.name.rpartition("/")[2]
        return Run(
            id=answer.name,
            state=_STATES.get(answer.state.name, "pending"),
            nodes={
                task.task_name: task.state.name.lower()
                for task in answer.job_detail.task_details
                if task.parent_task_id  # the run itself is a task with no parent
            },
            error=answer.error.message or None,
            page=(
                "https://console.cloud.google.com/vertex-ai/pipelines/locations/"
                f"{self.config.region}/runs/{number}?project={self.config.project}"
            ),
        )


def connect(kind: type[C], config: VertexConfig) -> C:
    """A client of one of the region's services.

    Raises:
      PostersError: there are no credentials.
    """
    try:
        return kind(client_options={"api_endpoint": f"{config.region}-aiplatform.googleapis.com"})
    except google.auth.exceptions.GoogleAuthError as error:
        raise _no_credentials(error) from error


def _no_credentials(error: Exception) -> PostersError:
    first_line = str(error).strip().split("\n", 1)[0]
    return PostersError(
        f"Google Cloud does not take the credentials ({first_line}). They are missing or expired: "
        f"{_LOG_IN}, or GOOGLE_APPLICATION_CREDENTIALS names a service account's key file."
    )
