"""One OpenTelemetry trace a run, exported by OTLP over HTTP when the run has ended.

Imported only where `OTEL_EXPORTER_OTLP_ENDPOINT` is set: without it the packages need not be there. All that
OpenTelemetry's own variables set (headers, time-out, certificates, resource attributes) is honoured.

A run's spans are made from the times that its status and its pods tell, so the operator keeps nothing open, a restart
in between loses nothing, and the pods need no way to the collector.
"""

import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode
from opentelemetry.util.types import Attributes

from dealguard_api.resource import Phase
from dealguard_operator import __version__
from dealguard_operator.model import Analysis, PodState
from dealguard_operator.policies.conditions import current_reason
from dealguard_operator.stages import stage_intervals

# What a collector that does not answer may cost the end of the process; the Lease is released before.
_LAST_EXPORT_SECONDS = 1.0

_EPOCH = datetime.fromtimestamp(0, UTC)


class RunTraces:
    """Makes the traces and sends them, in batches, from a thread of its own. What cannot be sent is dropped, logged."""

    def __init__(self) -> None:
        resource = Resource.create({SERVICE_NAME: "dealguard-operator", SERVICE_VERSION: __version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("dealguard_operator", __version__)

    def trace_run(self, analysis: Analysis, pods: Iterable[PodState]) -> None:
        """Export the trace of the run that ended, as `analysis` says.

        Args:
            analysis: with its terminal status.
            pods: of the run's last Job; one span a stage of each.
        """
        status = analysis.status
        began_at, ended_at = status.queued_at, status.finished_at
        if began_at is None or ended_at is None:
            return
        run = self._tracer.start_span(
            "run", context=Context(), start_time=_nanoseconds(began_at), attributes=_attributes(analysis)
        )
        if status.phase is Phase.FAILED:
            run.set_status(Status(StatusCode.ERROR, current_reason(status)))
        within = trace.set_span_in_context(run)
        job_began_at = status.started_at or ended_at
        self._span("queue wait", began_at, job_began_at, within, {})
        for number, pod in enumerate(pods, start=1):
            for stage in stage_intervals(pod):
                attributes: Attributes = {"k8s.pod.name": pod.name, "dealguard.attempt": number}
                self._span(stage.stage.value.lower(), stage.began_at, stage.ended_at, within, attributes)
        run.end(_nanoseconds(ended_at))

    def close(self) -> None:
        """Send what is left, if that is quick."""
        thread = threading.Thread(target=self._provider.shutdown, daemon=True)
        thread.start()
        thread.join(_LAST_EXPORT_SECONDS)

    def _span(self, name: str, began_at: datetime, ended_at: datetime, within: Context, attributes: Attributes) -> None:
        span = self._tracer.start_span(name, within, start_time=_nanoseconds(began_at), attributes=attributes)
        span.end(_nanoseconds(max(began_at, ended_at)))


def _attributes(analysis: Analysis) -> dict[str, str | int]:
    """OpenTelemetry's names where it has one."""
    status = analysis.status
    attributes = {
        "k8s.namespace.name": analysis.namespace,
        "dealguard.analysis.uid": analysis.uid,
        "dealguard.analysis.name": analysis.name,
        "dealguard.run": status.run,
        "dealguard.phase": status.phase.value if status.phase else None,
        "dealguard.reason": current_reason(status),
        "dealguard.attempts": status.attempt_count,
        "dealguard.engine": status.result.engine if status.result else None,
        "gen_ai.usage.input_tokens": status.usage.input_tokens if status.usage else None,
        "gen_ai.usage.output_tokens": status.usage.output_tokens if status.usage else None,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _nanoseconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1) * 1000
