"""Kubeflow's recurring runs."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any

import kfp_server_api
from kfp_server_api.exceptions import ApiException

from components.errors import PostersError
from pipeline.schedules import cron, forms, timezones
from pipeline.schedules.plan import Plan
from pipeline.services import schedules
from pipeline.services.kubeflow import SECONDS, KubeflowService
from pipeline.services.schedules import Scheduled

_PAGE_SIZE = 100
#: Kubeflow's first time is after the start; ours may be at it.
_MOMENT = datetime.timedelta(seconds=1)


class KubeflowSchedules:
    """Schedules of one pipeline; see `pipeline.services.schedules.Schedules`."""

    def __init__(self, service: KubeflowService, pipeline: str) -> None:
        """Asks nothing yet.

        Args:
          service: asks the API.
          pipeline: the pipeline's name.
        """
        self._service, self._pipeline = service, pipeline
        self._api = kfp_server_api.RecurringRunServiceApi(service.client)
        self._timezone = service.config.schedule_timezone

    def check(self, plan: Plan) -> None:
        """Refuses another time zone than the installation's, and what it cannot leave out."""
        now = datetime.datetime.now(datetime.timezone.utc)
        if not timezones.same_clock(plan.timezone, self._timezone, now):
            raise PostersError(
                f"--timezone {plan.timezone}: Kubeflow has one time zone for all its schedules, "
                f"here {self._timezone}. Write --cron and --timezone in that one; or have "
                "CRON_SCHEDULE_TIMEZONE of its ml-pipeline-scheduledworkflow changed, and then "
                "set kubeflow.schedule_timezone to the same."
            )
        if plan.missed == "never":
            raise PostersError(
                "--missed never: Kubeflow starts the newest of the times that it missed, and "
                "cannot leave it out. Take --missed once."
            )

    def check_new(self, plan: Plan) -> None:
        """Refuses a name that is taken."""
        if any(schedule.name == plan.name for schedule in self.list()):
            raise schedules.taken(plan.name)

    def create(self, job: dict[str, Any], plan: Plan) -> Scheduled:
        """Has a compiled job run at the plan's times."""
        config, experiment = self._service.config, self._service.experiment()
        runtime = job["runtimeConfig"]
        body = kfp_server_api.V2beta1RecurringRun(
            display_name=schedules.name_on_service(self._pipeline, plan.name),
            experiment_id=experiment,
            pipeline_spec=job["pipelineSpec"],
            runtime_config=kfp_server_api.V2beta1RuntimeConfig(
                pipeline_root=runtime["gcsOutputDirectory"],
                parameters=runtime.get("parameterValues", {}),
            ),
            service_account=config.service_account,
            max_concurrency="1",
            # Kubeflow's other way starts every time that it missed, one after another.
            no_catchup=True,
            mode=kfp_server_api.RecurringRunMode.ENABLE,
            trigger=kfp_server_api.V2beta1Trigger(
                cron_schedule=kfp_server_api.V2beta1CronSchedule(
                    cron=forms.kubeflow(plan.cron),
                    start_time=plan.start and plan.start - _MOMENT,
                    end_time=plan.end,
                )
            ),
        )
        tries = 0

        def create() -> Any:
            nonlocal tries
            tries += 1
            # The answer to the first try may be what was lost, not the schedule.
            known = self._find(experiment, plan.name) if tries > 1 else None
            if known:
                return known[0]
            return self._api.create_recurring_run(body, _request_timeout=SECONDS)

        return self._to_scheduled(self._service.ask(create))

    def list(self) -> Sequence[Scheduled]:
        """The schedules of the pipeline."""
        experiment = self._service.find_experiment()
        if experiment is None:
            return []
        return self._service.ask(
            lambda: [self._to_scheduled(answer) for answer in self._find(experiment)]
        )

    def pause(self, name: str) -> None:
        """Has it fire no more."""
        for schedule in self._named(name):
            self._change(self._api.disable_recurring_run, schedule.id, name)

    def resume(self, name: str) -> None:
        """Has it fire again; if it missed times meanwhile, for the newest of them at once."""
        for schedule in self._named(name):
            self._change(self._api.enable_recurring_run, schedule.id, name)

    def delete(self, name: str) -> None:
        """Removes it."""
        for schedule in self._named(name):
            tries = 0

            def delete(identity: str = schedule.id) -> None:
                nonlocal tries
                tries += 1
                try:
                    self._api.delete_recurring_run(identity, _request_timeout=SECONDS)
                except ApiException as error:
                    # An earlier try came through; its answer did not.
                    if error.status != 404 or tries == 1:
                        raise

            self._service.ask(delete, f"schedule {name}")

    def _change(self, verb: Callable[..., Any], identity: str, name: str) -> None:
        self._service.ask(lambda: verb(identity, _request_timeout=SECONDS), f"schedule {name}")

    def _named(self, name: str) -> Sequence[Scheduled]:
        known = self.list()
        found = [schedule for schedule in known if schedule.name == name]
        if not found:
            raise schedules.not_there(name, known)
        return found

    def _find(self, experiment: str, name: str | None = None) -> list[Any]:
        """Those of the pipeline, or of one name, as the API has them."""
        wanted = schedules.name_on_service(self._pipeline, name or "")
        found, page = [], ""
        while True:
            answer = self._api.list_recurring_runs(
                experiment_id=experiment,
                page_size=_PAGE_SIZE,
                page_token=page,
                _request_timeout=SECONDS,
            )
            for schedule in answer.recurring_runs or ():
                shown = schedule.display_name
                if shown == wanted if name else shown.startswith(wanted):
                    found.append(schedule)
            page = answer.next_page_token
            if not page:
                return found

    def _to_scheduled(self, answer: Any) -> Scheduled:
        trigger = answer.trigger.cron_schedule
        paused = "DISABLE" in str(answer.status or answer.mode)
        name = answer.display_name.partition(".")[2]
        text = trigger.cron.removeprefix("0 ")
        following = _following(name, text, self._timezone, trigger)
        state = "paused" if paused else "active" if following else "over"
        host = self._service.config.host.rstrip("/")
        return Scheduled(
            id=answer.recurring_run_id,
            name=name,
            cron=text,
            timezone=self._timezone,
            state=state,
            following=None if paused else following,
            page=f"{host}/#/recurringrun/details/{answer.recurring_run_id}",
        )


def _following(name: str, text: str, timezone: str, trigger: Any) -> datetime.datetime | None:
    """When it fires next; Kubeflow does not say."""
    start = trigger.start_time and trigger.start_time + _MOMENT
    plan = Plan(name, cron.parse(text), timezone, start=start, end=trigger.end_time)
    return plan.next_firing(datetime.datetime.now(datetime.timezone.utc))
