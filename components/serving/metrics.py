"""What the server counts, in Prometheus's form."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_IMAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "posters_requests", "Requests by HTTP status", ["status"], registry=self.registry
        )
        self.seconds = Histogram(
            "posters_predict_seconds", "Time of a predict request, seconds",
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.images = Counter(
            "posters_images", "Values asked about, by outcome", ["outcome"], registry=self.registry
        )
        self.batch_images = Histogram(
            "posters_batch_images", "Values asked about together",
            buckets=_IMAGES, registry=self.registry,
        )  # fmt: skip
        self.version = Gauge(
            "posters_model_version", "The version that serves; 0 for none", registry=self.registry
        )
        self.loads = Counter(
            "posters_model_loads", "Versions loaded, by outcome", ["outcome"],
            registry=self.registry,
        )  # fmt: skip

        self.logged = Counter(
            "posters_logged_images", "Images drawn for the log of requests, by outcome",
            ["outcome"], registry=self.registry,
        )  # fmt: skip

    def count_logged(self, outcome: str, images: int) -> None:
        """Counts images drawn for the log of requests, `kept` or `dropped`."""
        self.logged.labels(outcome).inc(images)

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        """Shows how many values wait."""
        gauge = Gauge("posters_queue_images", "Values that wait", registry=self.registry)
        gauge.set_function(waiting)

    def render(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)
