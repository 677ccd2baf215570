"""What is counted, for Prometheus. No label names a person, a contract or a namespace."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# A poll takes well below a millisecond, an upload as long as its client.
_REQUEST_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0)
_REVIEW_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0)


class Metrics:
    """One process's figures, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "dealguard_gateway_request_duration_seconds",
            "From a request's headers to the end of its answer, by route, method and status; without event streams.",
            ("route", "method", "status"),
            buckets=_REQUEST_BUCKETS,
            registry=self.registry,
        )
        self._reviews = Histogram(
            "dealguard_gateway_review_duration_seconds",
            "Questions to the API server that no kept answer saved: `token` who somebody is, `right` what they may.",
            ("about",),
            buckets=_REVIEW_BUCKETS,
            registry=self.registry,
        )
        self.streams = Gauge(
            "dealguard_gateway_event_streams", "Event streams and raw watches that are open.", registry=self.registry
        )
        self.uploads = Gauge("dealguard_gateway_uploads", "Uploads under way.", registry=self.registry)
        self.uploaded_bytes = Counter(
            "dealguard_gateway_uploaded_bytes_total", "Bytes of documents taken.", registry=self.registry
        )
        self._of_request: dict[tuple[str, str, int], Histogram] = {}

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered; `route` is the path's template, so that there are few of them."""
        key = (route, method, status)
        child = self._of_request.get(key)
        if child is None:
            child = self._of_request[key] = self._requests.labels(route, method, str(status))
        child.observe(seconds)

    def reviewed(self, about: str, seconds: float) -> None:
        """The API server was asked about a `token` or a `right`."""
        self._reviews.labels(about).observe(seconds)

    def add(self, collector: Collector) -> None:
        """Ask `collector` too whenever the figures are read."""
        self.registry.register(collector)

    def render(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self.registry)
