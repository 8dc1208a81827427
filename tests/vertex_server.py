"""Vertex AI's gRPC API on this machine: pipeline jobs and custom jobs, as far as they are asked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc
from google.cloud.aiplatform_v1 import JobServiceClient, PipelineServiceClient, types
from google.cloud.aiplatform_v1.services.job_service.transports import JobServiceGrpcTransport
from google.cloud.aiplatform_v1.services.pipeline_service.transports import (
    PipelineServiceGrpcTransport,
)

_JOBS, _PIPELINES = (
    "google.cloud.aiplatform.v1.JobService",
    ("google.cloud.aiplatform.v1.PipelineService"),
)


class FakeVertex:
    """What the API was asked, and how it answers.

    Attributes:
      address: host and port.
      pipeline_jobs: by full name, as created.
      custom_jobs: by full name, as created.
      requests: names of the methods that were called.
      failures: codes and messages to answer first, oldest first, and do nothing.
      lose_next: whether the next request is carried out and its answer lost.
      custom_job_state: how custom jobs end.
    """

    def __init__(self) -> None:
        self.address = ""
        self.pipeline_jobs: dict[str, types.PipelineJob] = {}
        self.custom_jobs: dict[str, types.CustomJob] = {}
        self.requests: list[str] = []
        self.failures: list[tuple[grpc.StatusCode, str]] = []
        self.lose_next = False
        self.custom_job_state = types.JobState.JOB_STATE_SUCCEEDED

    def pipelines(self) -> PipelineServiceClient:
        """A client of the service, without credentials."""
        channel = grpc.insecure_channel(self.address)
        return PipelineServiceClient(transport=PipelineServiceGrpcTransport(channel=channel))

    def jobs(self, **_: Any) -> JobServiceClient:
        """A client of the service for custom jobs, without credentials."""
        channel = grpc.insecure_channel(self.address)
        return JobServiceClient(transport=JobServiceGrpcTransport(channel=channel))

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
            request_deserializer=request.deserialize,
            response_serializer=lambda answer: type(answer).serialize(answer),
        )

    def service(name: str, methods: dict[str, tuple[Callable, Any]]) -> grpc.GenericRpcHandler:
        handlers = {key: handler(key, *method) for key, method in methods.items()}
        return grpc.method_handlers_generic_handler(name, handlers)

    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(
        [
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
        ]
    )  # fmt: skip
    vertex.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield vertex
    finally:
        server.stop(None).wait()
