"""Vertex AI's gRPC API on this machine: pipeline jobs, custom jobs, schedules, as far as asked."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc
from google.cloud.aiplatform_v1 import JobServiceClient, PipelineServiceClient, types
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2

_JOBS, _PIPELINES, _SCHEDULES = (
    f"google.cloud.aiplatform.v1.{name}Service" for name in ("Job", "Pipeline", "Schedule")
)
_STATES = types.Schedule.State


class FakeVertex:
    """What the API was asked, and how it answers.

    Attributes:
      address: host and port.
      pipeline_jobs: by full name, as created.
      custom_jobs: by full name, as created.
      schedules: by full name, as created.
      requests: names of the methods that were called.
      failures: codes and messages to answer first, oldest first, and do nothing.
      slow: whether deleting goes on after the answer, without end.
      lose_next: whether the next request is carried out and its answer lost.
      custom_job_state: how custom jobs end.
    """

    def __init__(self) -> None:
        self.address = ""
        self.pipeline_jobs: dict[str, types.PipelineJob] = {}
        self.custom_jobs: dict[str, types.CustomJob] = {}
        self.schedules: dict[str, types.Schedule] = {}
        self.requests: list[str] = []
        self.failures: list[tuple[grpc.StatusCode, str]] = []
        self.slow = False
        self.lose_next = False
        self.custom_job_state = types.JobState.JOB_STATE_SUCCEEDED

    def pipelines(self) -> PipelineServiceClient:
        """A client of the service, without credentials."""
        return self.client(PipelineServiceClient)

    def jobs(self, **_: Any) -> JobServiceClient:
        """A client of the service for custom jobs, without credentials."""
        return self.client(JobServiceClient)

    def client(self, kind: Any) -> Any:
        """A client of one of the services, without credentials."""
        channel = grpc.insecure_channel(self.address)
        return kind(transport=kind.get_transport_class("grpc")(channel=channel))

    def create_pipeline_job(self, request: Any, context: grpc.ServicerContext) -> Any:
        name = f"{request.parent}/pipelineJobs/{request.pipeline_job_id}"
        if name in self.pipeline_jobs:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, f"{name} exists")
        job = request.pipeline_job
        job.name, job.state = name, types.PipelineState.PIPELINE_STATE_PENDING
        self.pipeline_jobs[name] = job
        return job

    def get_pipeline_job(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.name not in self.pipeline_jobs:
            context.abort(grpc.StatusCode.NOT_FOUND, f"{request.name} is not there")
        return self.pipeline_jobs[request.name]

    def create_custom_job(self, request: Any, context: grpc.ServicerContext) -> Any:
        job = request.custom_job
        job.name = f"{request.parent}/customJobs/{len(self.custom_jobs) + 1}"
        job.state = self.custom_job_state
        self.custom_jobs[job.name] = job
        return job

    def get_custom_job(self, request: Any, context: grpc.ServicerContext) -> Any:
        return self.custom_jobs[request.name]

    def create_schedule(self, request: Any, context: grpc.ServicerContext) -> Any:
        schedule = request.schedule
        schedule.name = f"{request.parent}/schedules/{len(self.schedules) + 1}"
        schedule.state = _STATES.ACTIVE
        now = datetime.datetime.now(datetime.timezone.utc)
        schedule.next_run_time = now + datetime.timedelta(days=1)
        self.schedules[schedule.name] = schedule
        return schedule

    def get_schedule(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.name not in self.schedules:
            context.abort(grpc.StatusCode.NOT_FOUND, f"{request.name} is not there")
        return self.schedules[request.name]

    def list_schedules(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Pages of two, whatever is asked for."""
        field, name = request.filter[:-1].split('"')
        assert field in ("display_name=", "display_name:")
        found = [
            schedule
            for schedule in self.schedules.values()
            if (
                schedule.display_name == name
                if field.endswith("=")
                else schedule.display_name.startswith(name.removesuffix("*"))
            )
        ]
        first = int(request.page_token or 0)
        return types.ListSchedulesResponse(
            schedules=found[first : first + 2],
            next_page_token=str(first + 2) if first + 2 < len(found) else "",
        )

    def pause_schedule(self, request: Any, context: grpc.ServicerContext) -> Any:
        return self._change_schedule(request, context, _STATES.ACTIVE, _STATES.PAUSED)

    def resume_schedule(self, request: Any, context: grpc.ServicerContext) -> Any:
        assert not request.catch_up
        return self._change_schedule(request, context, _STATES.PAUSED, _STATES.ACTIVE)

    def delete_schedule(self, request: Any, context: grpc.ServicerContext) -> Any:
        del self.schedules[self.get_schedule(request, context).name]
        return self.get_operation(request, context)

    def get_operation(self, request: Any, context: grpc.ServicerContext) -> Any:
        begun = operations_pb2.Operation(name=f"{request.name}/operations/1", done=not self.slow)
        if begun.done:
            begun.response.Pack(empty_pb2.Empty())
        return begun

    def _change_schedule(
        self, request: Any, context: grpc.ServicerContext, before: Any, after: Any
    ) -> Any:
        schedule = self.get_schedule(request, context)
        if schedule.state != before:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"it is {schedule.state.name}")
        schedule.state = after
        return empty_pb2.Empty()


def _serialize(answer: Any) -> bytes:
    plain = isinstance(answer, empty_pb2.Empty | operations_pb2.Operation)
    return answer.SerializeToString() if plain else type(answer).serialize(answer)


@contextlib.contextmanager
def serving() -> Iterator[FakeVertex]:
    """Serves until the block ends."""
    vertex = FakeVertex()

    def handler(name: str, answer: Callable, request: Any) -> grpc.RpcMethodHandler:
        def serve(message: Any, context: grpc.ServicerContext) -> Any:
            vertex.requests.append(name)
            if vertex.failures:
                context.abort(*vertex.failures.pop(0))
            answered = answer(message, context)
            if vertex.lose_next:
                vertex.lose_next = False
                context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset")
            return answered

        return grpc.unary_unary_rpc_method_handler(
            serve,
            request_deserializer=getattr(request, "deserialize", None) or request.FromString,
            response_serializer=_serialize,
        )

    def service(name: str, methods: dict[str, tuple[Callable, Any]]) -> grpc.GenericRpcHandler:
        handlers = {key: handler(key, *method) for key, method in methods.items()}
        return grpc.method_handlers_generic_handler(name, handlers)

    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(
        [
            service(
                "google.longrunning.Operations",
                {"GetOperation": (vertex.get_operation, operations_pb2.GetOperationRequest)},
            ),
            service(
                _PIPELINES,
                {
                    "CreatePipelineJob": (
                        vertex.create_pipeline_job, types.CreatePipelineJobRequest
                    ),
                    "GetPipelineJob": (vertex.get_pipeline_job, types.GetPipelineJobRequest),
                },
            ),
            service(
                _JOBS,
                {
                    "CreateCustomJob": (vertex.create_custom_job, types.CreateCustomJobRequest),
                    "GetCustomJob": (vertex.get_custom_job, types.GetCustomJobRequest),
                },
            ),
            service(
                _SCHEDULES,
                {
                    "CreateSchedule": (vertex.create_schedule, types.CreateScheduleRequest),
                    "GetSchedule": (vertex.get_schedule, types.GetScheduleRequest),
                    "ListSchedules": (vertex.list_schedules, types.ListSchedulesRequest),
                    "PauseSchedule": (vertex.pause_schedule, types.PauseScheduleRequest),
                    "ResumeSchedule": (vertex.resume_schedule, types.ResumeScheduleRequest),
                    "DeleteSchedule": (vertex.delete_schedule, types.DeleteScheduleRequest),
                },
            ),
        ]
    )  # fmt: skip
    vertex.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield vertex
    finally:
        server.stop(None).wait()
