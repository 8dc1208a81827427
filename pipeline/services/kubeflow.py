"""Kubeflow Pipelines over its HTTP API, version v2beta1."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import kfp_server_api
import urllib3
from kfp_server_api.exceptions import ApiException

from components.errors import PostersError
from pipeline.cluster_config import KubeflowConfig
from pipeline.services import retry
from pipeline.services.run import Run, State

#: Names a file that holds a token; Kubeflow's own clients read the same variable.
TOKEN_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"
_STATES: dict[str, State] = {
    "PENDING": "pending",
    "RUNNING": "running",
    "PAUSED": "running",
    "CANCELING": "running",
    "SUCCEEDED": "succeeded",
    "SKIPPED": "succeeded",
    "FAILED": "failed",
    "CANCELED": "cancelled",
}
#: Too many requests, and gateways that could not reach the API behind them.
_TRANSIENT = (429, 502, 503, 504)
#: How long one answer may take.
SECONDS = 30
T = TypeVar("T")


class KubeflowService:
    """Submits jobs and asks for runs."""

    def __init__(self, config: KubeflowConfig, sleep: Callable[[float], None] = time.sleep) -> None:
        """Asks nothing yet.

        Args:
          config: the section `kubeflow`.
          sleep: waits between two tries.

        Raises:
          PostersError: the file with the token cannot be read.
        """
        self.config, self._sleep = config, sleep
        settings = kfp_server_api.Configuration(host=config.host.rstrip("/"))
        # A refused connection is tried again here, with pauses, and not at once.
        settings.retries = urllib3.Retry(0)
        if token := _token():
            settings.api_key = {"authorization": token}
            settings.api_key_prefix = {"authorization": "Bearer"}
        self.client = kfp_server_api.ApiClient(settings)
        self._runs = kfp_server_api.RunServiceApi(self.client)
        self._experiments = kfp_server_api.ExperimentServiceApi(self.client)

    def check(self, job: dict[str, Any]) -> None:
        """Accepts every job: Kubeflow's library reads nothing before it sends it."""

    def submit(self, job: dict[str, Any], name: str) -> Run:
        """Starts a run of a compiled job.

        Args:
          job: the PipelineJob as JSON has it.
          name: of the run; no other run has it, so that a try that was lost is found again.

        Raises:
          PostersError: the API cannot be reached or refuses; it says what to do.
        """
        experiment = self.experiment()
        runtime = job["runtimeConfig"]
        body = kfp_server_api.V2beta1Run(
            experiment_id=experiment,
            display_name=name,
            pipeline_spec=job["pipelineSpec"],
            runtime_config=kfp_server_api.V2beta1RuntimeConfig(
                pipeline_root=runtime["gcsOutputDirectory"],
                parameters=runtime.get("parameterValues", {}),
            ),
            service_account=self.config.service_account,
        )
        tries = 0

        def create() -> Any:
            nonlocal tries
            tries += 1
            # The answer to the first try may be what was lost, not the run.
            known = self._find(experiment, name) if tries > 1 else None
            return known or self._runs.create_run(body, _request_timeout=SECONDS)

        return self._to_run(self.ask(create))

    def run(self, run_id: str) -> Run:
        """Asks for a run.

        Raises:
          PostersError: there is none of that id, or see `submit`.
        """
        return self._to_run(
            self.ask(lambda: self._runs.get_run(run_id, _request_timeout=SECONDS), f"run {run_id}")
        )

    def experiment(self) -> str:
        """Id of the configured experiment, which is made if it is not there."""
        if found := self.find_experiment():
            return found
        body = kfp_server_api.V2beta1Experiment(
            display_name=self.config.experiment, namespace=self.config.namespace
        )
        made = self.ask(lambda: self._experiments.create_experiment(body, _request_timeout=SECONDS))
        return made.experiment_id

    def find_experiment(self) -> str | None:
        """Id of the configured experiment, or None if it is not there."""
        scope = {"namespace": self.config.namespace} if self.config.namespace else {}
        found = self.ask(
            lambda: self._experiments.list_experiments(
                filter=_equals("name", self.config.experiment), _request_timeout=SECONDS, **scope
            )
        )
        return found.experiments[0].experiment_id if found.experiments else None

    def _find(self, experiment: str, name: str) -> Any:
        found = self._runs.list_runs(
            experiment_id=experiment, filter=_equals("name", name), _request_timeout=SECONDS
        )
        return found.runs[0] if found.runs else None

    def ask(self, action: Callable[[], T], what: str | None = None) -> T:
        """Asks the API, again if it could not answer.

        Args:
          action: asks once, and does no harm when it is done twice.
          what: is asked for, in words, or None.

        Raises:
          PostersError: it cannot be reached or refuses; it says what to do.
        """

        def answered() -> Any:
            answer = action()
            # Kubeflow's client follows to a login page and takes it for an empty answer.
            if "html" in (self.client.last_response.getheader("Content-Type") or ""):
                raise PostersError(
                    f"kubeflow.host: {self.config.host} answers with a page, for people to log in "
                    "perhaps. Name the API: a port-forward of the service ml-pipeline, or give a "
                    f"token in the file that {TOKEN_VARIABLE} names."
                )
            return answer

        try:
            return retry.call(answered, _is_transient, self._sleep)
        except ApiException as error:
            raise self._explain(error, what) from error
        except urllib3.exceptions.HTTPError as error:
            raise PostersError(
                f"kubeflow.host: {self.config.host} cannot be reached ({_reason(error)}). Is the "
                "address right, is the cluster up, and the port-forward or VPN to it alive?"
            ) from error

    def _explain(self, error: ApiException, what: str | None) -> PostersError:
        said = _said(error)
        if "quota" in said.lower():
            return PostersError(
                f"Kubeflow refuses for lack of quota: {said}. Wait for other runs to end, ask for "
                "more quota, or ask for less under `resources`."
            )
        if error.status == 401:
            return PostersError(
                f"Kubeflow does not take the credentials: {said}. Tokens expire: write a fresh one "
                f"into the file that {TOKEN_VARIABLE} names, and try again."
            )
        if error.status == 403:
            return PostersError(
                f"Kubeflow does not allow it: {said}. Ask for the role kubeflow-edit in the "
                "namespace that kubeflow.namespace names."
            )
        if error.status == 404:
            missing = f"there is no {what}" if what else "the API of Pipelines 2 is not there"
            return PostersError(f"kubeflow.host: at {self.config.host} {missing}: {said}.")
        if error.status in _TRANSIENT:
            return PostersError(
                f"Kubeflow did not answer in {len(retry.PAUSES) + 1} tries: {error.status} {said}. "
                "Try again later; nothing was changed."
            )
        return PostersError(f"Kubeflow refuses the request: {error.status} {said}")

    def _to_run(self, answer: Any) -> Run:
        details = answer.run_details.task_details if answer.run_details else None
        error = answer.error.message if answer.error else None
        return Run(
            id=answer.run_id,
            state=_STATES.get(answer.state, "pending"),
            nodes={
                task.display_name: (task.state or "pending").lower()
                for task in details or ()
                if task.display_name and not task.display_name.startswith("root")
            },
            error=error,
            page=f"{self.config.host.rstrip('/')}/#/runs/details/{answer.run_id}",
        )


def _token() -> str | None:
    path = os.environ.get(TOKEN_VARIABLE)
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise PostersError(
            f"{TOKEN_VARIABLE} names {path}, which cannot be read ({error.strerror}): write a "
            "token for Kubeflow's API there, or unset the variable where none is needed."
        ) from error


def _equals(key: str, value: str) -> str:
    predicate = {"operation": "EQUALS", "key": key, "stringValue": value}
    return json.dumps({"predicates": [predicate]})


def _is_transient(error: Exception) -> bool:
    if isinstance(error, ApiException):
        return error.status in _TRANSIENT and "quota" not in _said(error).lower()
    return isinstance(error, urllib3.exceptions.HTTPError)


def _said(error: ApiException) -> str:
    """What the API says went wrong, without headers."""
    body = error.body or b""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    try:
        fields = json.loads(text)
        return str(fields.get("message") or fields.get("error") or text)
    except (ValueError, AttributeError):
        return text.strip()[:300] or str(error.reason)


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    cause = getattr(error, "reason", None) or error
    return str(cause).rpartition(">: ")[2] or type(error).__name__
