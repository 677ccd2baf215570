"""OpenTelemetry: what a collector receives over HTTP, decoded with OpenTelemetry's own messages."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

import dealguard_operator
from dealguard_api.resource import Phase
from dealguard_operator.main import Operator, run_traces
from dealguard_operator.model import Terminated
from dealguard_operator.tracing import RunTraces
from tests.unit.operator_cases import (
    NAME,
    NAMESPACE,
    NOWHERE,
    UID,
    analysis,
    at,
    completed,
    failed,
    pod,
    settings,
    succeeded,
)


class Collector:
    """Receives OTLP over HTTP."""

    def __init__(self) -> None:
        self.received: list[ResourceSpans] = []
        self.headers: dict[str, str] = {}
        application = web.Application()
        application.router.add_post("/v1/traces", self._receive)
        self.server = TestServer(application)

    async def _receive(self, request: web.Request) -> web.Response:
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        self.received += ExportTraceServiceRequest.FromString(await request.read()).resource_spans
        return web.Response()

    @property
    def spans(self) -> list[Span]:
        """All spans, in the order of their beginnings."""
        spans = [span for resource in self.received for scope in resource.scope_spans for span in scope.spans]
        return sorted(spans, key=lambda span: (span.start_time_unix_nano, -span.end_time_unix_nano))


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    collector = Collector()
    await collector.server.start_server()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", str(collector.server.make_url("")))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20me")
    yield collector
    await collector.server.close()


def attributes(span: Span | ResourceSpans) -> dict[str, object]:
    items = span.attributes if isinstance(span, Span) else span.resource.attributes
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in items}


async def test_a_run_is_one_trace_of_its_stages(collector: Collector) -> None:
    status = completed(engine="claude")
    traces = RunTraces()
    traces.trace_run(analysis(status), (succeeded(),))
    await asyncio.to_thread(traces.close)

    assert collector.headers["authorization"] == "Bearer me", "OpenTelemetry's own variables apply"
    (resource,) = collector.received
    expected = {"service.name": "dealguard-operator", "service.version": dealguard_operator.__version__}
    assert expected.items() <= attributes(resource).items()

    run, *stages = collector.spans
    assert {span.trace_id for span in stages} == {run.trace_id}
    assert run.parent_span_id == b""
    assert {span.parent_span_id for span in stages} == {run.span_id}
    start = int(at(0).timestamp())
    assert [
        (span.name, span.start_time_unix_nano // 10**9 - start, span.end_time_unix_nano // 10**9 - start)
        for span in (run, *stages)
    ] == [
        ("run", 0, 30),
        ("queue wait", 0, 1),
        ("starting", 2, 3),
        ("extracting", 3, 5),
        ("analyzing", 6, 30),
    ]
    assert attributes(run) == {
        "k8s.namespace.name": NAMESPACE,
        "dealguard.analysis.uid": UID,
        "dealguard.analysis.name": NAME,
        "dealguard.run": 1,
        "dealguard.phase": "Completed",
        "dealguard.reason": "Completed",
        "dealguard.attempts": 1,
        "dealguard.engine": "claude",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 10,
    }
    assert run.status.code != run.status.STATUS_CODE_ERROR


async def test_each_attempt_has_its_spans_and_each_run_its_trace(collector: Collector) -> None:
    traces = RunTraces()
    lease = analysis(completed())
    traces.trace_run(lease, (failed(75), succeeded(2)))
    traces.trace_run(lease, (succeeded(),))
    await asyncio.to_thread(traces.close)
    assert len({span.trace_id for span in collector.spans}) == 2
    numbers = [attributes(span).get("dealguard.attempt") for span in collector.spans if span.name == "analyzing"]
    assert sorted(str(number) for number in numbers) == ["1", "1", "2"]


@pytest.mark.parametrize("year", [1, 1970, 8000], ids=["before all times", "the epoch", "far ahead"])
async def test_a_pod_with_times_that_cannot_be_spoils_no_other_trace(collector: Collector, year: int) -> None:
    odd = pod(extract=Terminated(0, "", "", datetime(year, 1, 1, tzinfo=UTC), at(5)), analyze=succeeded().analyze)
    traces = RunTraces()
    traces.trace_run(analysis(completed()), (odd,))
    traces.trace_run(analysis(completed()), (succeeded(),))
    await asyncio.to_thread(traces.close)
    names = [span.name for span in collector.spans]
    assert sorted(names) == sorted(2 * ["run", "queue wait", "analyzing"] + ["starting", "extracting"])


async def test_a_failed_run_is_an_error(collector: Collector) -> None:
    status = completed().model_copy(update={"phase": Phase.FAILED, "result": None})
    traces = RunTraces()
    traces.trace_run(analysis(status), ())
    await asyncio.to_thread(traces.close)
    run, wait = collector.spans
    assert run.status.code == run.status.STATUS_CODE_ERROR
    assert wait.name == "queue wait"


async def test_the_operator_sends_what_is_left_when_it_ends(collector: Collector) -> None:
    traces = run_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": str(collector.server.make_url(""))})
    assert traces is not None
    operator = Operator(settings(HEALTH_PORT="0"), NOWHERE, traces=traces)
    await operator.start()
    traces.trace_run(analysis(completed()), ())
    await operator.stop()
    assert [span.name for span in collector.spans] == ["run", "queue wait"]


async def test_a_collector_that_is_away_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    caplog.set_level(logging.CRITICAL, logger="opentelemetry")
    traces = RunTraces()
    traces.trace_run(analysis(completed()), (succeeded(),))
    async with asyncio.timeout(5):
        await asyncio.to_thread(traces.close)


def test_without_the_variable_there_are_no_traces() -> None:
    assert run_traces({}) is None


def test_without_the_packages_the_operator_says_so_and_works(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "dealguard_operator.tracing", None)  # as an import that fails
    assert run_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example:4318"}) is None
    assert "Install opentelemetry-sdk" in caplog.text
