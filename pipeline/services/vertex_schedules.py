"""Vertex AI's pipeline schedules."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any

from google.api_core import exceptions
from google.cloud import aiplatform_v1
from google.cloud.aiplatform_v1 import Schedule, ScheduleServiceClient

from components.errors import PostersError
from pipeline.schedules import forms, timezones
from pipeline.schedules.plan import Plan
from pipeline.services import schedules, vertex
from pipeline.services.schedules import Scheduled
from pipeline.services.vertex import SECONDS, VertexService

_STATES: dict[str, schedules.State] = {"PAUSED": "paused", "COMPLETED": "over"}
#: Vertex's first time is after the start; ours may be at it.
_MOMENT = datetime.timedelta(seconds=1)


class VertexSchedules:
    """Schedules of one pipeline; see `pipeline.services.schedules.Schedules`."""

    def __init__(
        self, service: VertexService, pipeline: str, client: ScheduleServiceClient | None = None
    ) -> None:
        """Asks nothing yet.

        Args:
          service: asks the API.
          pipeline: the pipeline's name.
          client: of the part for schedules; by default that of the configured region.

        Raises:
          PostersError: there are no credentials.
        """
        self._service, self._pipeline = service, pipeline
        self._client = client or vertex.connect(ScheduleServiceClient, service.config)

    def check(self, plan: Plan) -> None:
        """Accepts every plan."""

    def check_new(self, plan: Plan) -> None:
        """Refuses a name that is taken."""
        if self._service.ask(lambda: self._find(plan.name)):
            raise schedules.taken(plan.name)

    def create(self, job: dict[str, Any], plan: Plan) -> Scheduled:
        """Has a compiled job run at the plan's times."""
        message = self._service.message(job, "scheduled")
        message.name = ""  # the service gives every run a name of its own
        schedule = Schedule(
            display_name=schedules.name_on_service(self._pipeline, plan.name),
            cron=forms.vertex(plan.cron, plan.timezone),
            # The first says how many are being started at once, the second how many run.
            max_concurrent_run_count=1,
            max_concurrent_active_run_count=1,
            allow_queueing=plan.missed == "once",
            create_pipeline_job_request=aiplatform_v1.CreatePipelineJobRequest(
                parent=self._service.parent, pipeline_job=message
            ),
        )
        now = datetime.datetime.now(datetime.timezone.utc)
        if plan.start and plan.start > now:
            schedule.start_time = plan.start - _MOMENT
        if plan.end:
            schedule.end_time = plan.end
        tries = 0

        def create() -> Schedule:
            nonlocal tries
            tries += 1
            # The answer to the first try may be what was lost, not the schedule.
            known = self._find(plan.name) if tries > 1 else None
            if known:
                return known[0]
            return self._client.create_schedule(
                parent=self._service.parent, schedule=schedule, timeout=SECONDS
            )

        return self._to_scheduled(self._service.ask(create))

    def list(self) -> Sequence[Scheduled]:
        """The schedules of the pipeline."""
        return [self._to_scheduled(found) for found in self._service.ask(self._find)]

    def pause(self, name: str) -> None:
        """Has it fire no more."""
        for schedule in self._named(name):
            self._change(
                schedule.name,
                Schedule.State.PAUSED,
                lambda path: self._client.pause_schedule(name=path, timeout=SECONDS),
            )

    def resume(self, name: str) -> None:
        """Has it fire again; times in the pause are not caught up, for Vertex would start all."""
        for schedule in self._named(name):
            self._change(
                schedule.name,
                Schedule.State.ACTIVE,
                lambda path: self._client.resume_schedule(
                    request=aiplatform_v1.ResumeScheduleRequest(name=path, catch_up=False),
                    timeout=SECONDS,
                ),
            )

    def delete(self, name: str) -> None:
        """Removes it."""
        for schedule in self._named(name):
            tries = 0

            def delete(path: str = schedule.name) -> None:
                nonlocal tries
                tries += 1
                try:
                    self._client.delete_schedule(name=path, timeout=SECONDS).result(SECONDS)
                except exceptions.NotFound:
                    # An earlier try came through; its answer did not.
                    if tries == 1:
                        raise
                except futures.TimeoutError as error:
                    raise PostersError(
                        f"Vertex AI did not say in {SECONDS} s that the schedule {name} is gone. "
                        "Look with `posters schedule list --runner vertex`, and delete it again if "
                        "it is still there."
                    ) from error

            self._service.ask(delete)

    def _change(self, path: str, wanted: Schedule.State, verb: Callable[[str], None]) -> None:
        """Brings a schedule into a state; nothing is asked of one that is in it."""

        def change() -> None:
            if self._client.get_schedule(name=path, timeout=SECONDS).state != wanted:
                verb(path)

        self._service.ask(change)

    def _named(self, name: str) -> Sequence[Schedule]:
        found = self._service.ask(lambda: self._find(name))
        if not found:
            raise schedules.not_there(name, self.list())
        return found

    def _find(self, name: str | None = None) -> Sequence[Schedule]:
        """Those of the pipeline, or of one name."""
        wanted = schedules.name_on_service(self._pipeline, name or "")
        operator, end = ("=", "") if name else (":", "*")
        request = aiplatform_v1.ListSchedulesRequest(
            parent=self._service.parent, filter=f'display_name{operator}"{wanted}{end}"'
        )
        return list(self._client.list_schedules(request=request, timeout=SECONDS))

    def _to_scheduled(self, answer: Schedule) -> Scheduled:
        prefix, _, text = answer.cron.partition(" ")
        config, number = self._service.config, answer.name.rpartition("/")[2]
        state = _STATES.get(answer.state.name, "active")
        timezone = prefix.partition("=")[2]
        following = None
        if answer.next_run_time and state == "active":
            following = answer.next_run_time.astimezone(timezones.zone(timezone))
        return Scheduled(
            id=answer.name,
            name=answer.display_name.partition(".")[2],
            cron=text,
            timezone=timezone,
            state=state,
            following=following,
            page="https://console.cloud.google.com/vertex-ai/pipelines/schedules/locations/"
            f"{config.region}/schedules/{number}?project={config.project}",
        )
