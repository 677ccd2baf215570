"""What the operator counts, read as Prometheus reads it, from a reconciler on a small API server of the test's own."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from kubernetes.aio import client
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

import dealguard_operator
from dealguard_api.exit_codes import ExitCode
from dealguard_api.resource import Attempt, ContractAnalysisStatus, Phase
from dealguard_operator import errors
from dealguard_operator.kubernetes_api import KubernetesApi
from dealguard_operator.main import Operator
from dealguard_operator.metrics import DECLARATIONS, MAX_NAMESPACES, OTHER_NAMESPACES, Metrics, Snapshot
from dealguard_operator.model import Analysis, Terminated
from dealguard_operator.observe import pack
from dealguard_operator.presign import Presigner
from dealguard_operator.reconciler import Reconciler
from tests.unit.operator_api_server import MODEL, ApiServer, wait_until
from tests.unit.operator_cases import NAMESPACE, NOWHERE, analysis, at, completed, settings, started, succeeded

REPOSITORY = Path(__file__).resolve().parent.parent.parent
EPOCH = datetime.fromtimestamp(0, UTC)
BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)
Sample = tuple[str, frozenset[tuple[str, str]]]


@pytest.fixture
async def api_server() -> AsyncIterator[ApiServer]:
    api_server = ApiServer()
    await api_server.server.start_server()
    yield api_server
    await api_server.server.close()


@asynccontextmanager
async def reconciling(api_server: ApiServer) -> AsyncIterator[Metrics]:
    """An operator's reconciler, and what it counts."""
    chosen = settings(RESYNC_SECONDS="0.05")
    metrics = Metrics(model=chosen.claude.model, version=dealguard_operator.__version__)
    api = KubernetesApi(client.Configuration(host=str(api_server.server.make_url("")).rstrip("/")), metrics=metrics)
    reconciler = Reconciler(api, Presigner(chosen), chosen, metrics=metrics)
    metrics.read_from(reconciler.snapshot)
    task = asyncio.create_task(reconciler.run())
    yield metrics
    task.cancel()
    await asyncio.wait([task])
    await api.close()


async def scrape(metrics: Metrics, accept: str = "text/plain") -> tuple[str, str]:
    """What a scraper gets, and the type that it is said to have."""
    application = web.Application()
    application.router.add_get("/metrics", metrics.handler())
    async with TestClient(TestServer(application)) as scraper:
        response = await scraper.get("/metrics", headers={"Accept": accept})
        return await response.text(), response.headers["Content-Type"]


async def samples(metrics: Metrics) -> dict[Sample, float]:
    text, _ = await scrape(metrics)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse_text(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def of(name: str, **labels: str) -> Sample:
    return name, frozenset(labels.items())


async def until(metrics: Metrics, sample: Sample, value: float) -> dict[Sample, float]:
    """All samples, once one has its value: what is counted is counted right after its write was answered."""
    async with asyncio.timeout(20):
        while (found := await samples(metrics)).get(sample) != value:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    return found


def named(found: dict[Sample, float], name: str) -> dict[Sample, float]:
    return {sample: value for sample, value in found.items() if sample[0] == name}


async def test_runs_are_counted_with_their_waits_stages_attempts_and_spending(api_server: ApiServer) -> None:
    api_server.analyse("good", engine="claude")
    api_server.analyse("bad")
    api_server.analyse("foreign", key="documents/elsewhere/lease.pdf")
    api_server.analyse("asleep", suspend=True)
    spent = {"inputTokens": 1000, "outputTokens": 100, "cacheReadTokens": 7, "costUSD": "0.02"}
    async with reconciling(api_server) as metrics:
        await api_server.pod("bad", 1, extract=ExitCode.NOT_A_PDF, analyze=None)
        await api_server.pod("good", 1, extract=0, analyze=ExitCode.ENGINE_UNAVAILABLE, message={"usage": spent})
        await api_server.wait_for(bad="Failed", foreign="Failed", asleep="Pending", good="Processing")
        under_way = await until(metrics, of("dealguard_analyses", namespace=NAMESPACE, state="running"), 1)
        message = {"usage": spent, "result": api_server.result_of("good")}
        await api_server.pod("good", 2, extract=0, analyze=0, message=message)
        await api_server.wait_for(good="Completed")
        found = await until(metrics, of("dealguard_runs_total", phase="Completed", reason="Completed"), 1)

    assert found[of("dealguard_analyses", namespace=NAMESPACE, state="running")] == 0
    assert found[of("dealguard_analyses", namespace=NAMESPACE, state="suspended")] == 1
    assert found[of("dealguard_analyses", namespace=NAMESPACE, state="queued")] == 0
    assert named(found, "dealguard_runs_total") == {
        of("dealguard_runs_total", phase="Completed", reason="Completed"): 1,
        of("dealguard_runs_total", phase="Failed", reason="NotAPDF"): 1,
        of("dealguard_runs_total", phase="Failed", reason="DocumentKeyForbidden"): 1,
    }
    assert named(found, "dealguard_attempts_total") == {
        of("dealguard_attempts_total", reason="EngineUnavailable"): 1,
        of("dealguard_attempts_total", reason="Completed"): 1,
        of("dealguard_attempts_total", reason="NotAPDF"): 1,
    }
    assert found[of("dealguard_queue_wait_seconds_count")] == 2, "of the two that got a Job"
    assert {
        stage: (
            found[of("dealguard_stage_duration_seconds_count", stage=stage)],
            found[of("dealguard_stage_duration_seconds_sum", stage=stage)],
        )
        for stage in ("Starting", "Extracting", "Analyzing")
    } == {"Starting": (3, 9), "Extracting": (3, 6), "Analyzing": (2, 40)}
    assert found[of("dealguard_run_duration_seconds_count", phase="Completed")] == 1
    assert named(under_way, "dealguard_tokens_total") == {}, "what is under way is not counted yet"
    assert named(found, "dealguard_tokens_total") == {
        of("dealguard_tokens_total", model=MODEL, kind="input"): 2000,
        of("dealguard_tokens_total", model=MODEL, kind="output"): 200,
        of("dealguard_tokens_total", model=MODEL, kind="cache_read"): 14,
    }, "of both attempts"
    assert found[of("dealguard_cost_usd_total", model=MODEL)] == pytest.approx(0.04)
    assert found[of("dealguard_api_requests_total", verb="create", resource="jobs", code="200")] == 2
    assert found[of("dealguard_api_requests_total", verb="list", resource="pods", code="200")] >= 1
    assert found[of("dealguard_api_request_duration_seconds_count", verb="create", resource="secrets")] == 2
    assert found[of("dealguard_reconcile_duration_seconds_count", result="settled")] >= 4
    assert found[of("dealguard_last_resync_age_seconds")] < 20
    assert found[of("dealguard_leader", lease="")] == 1
    assert found[of("dealguard_build_info", version=dealguard_operator.__version__)] == 1
    assert of("process_cpu_seconds_total") in found

    # Started again, on what is on record: nothing ended here, so nothing is counted here.
    async with reconciling(api_server) as metrics:
        listed = api_server.lists
        await wait_until(lambda: api_server.lists > listed + 15)  # five resyncs of three kinds
        again = await samples(metrics)
    for name in ("runs_total", "attempts_total", "tokens_total", "cost_usd_total", "unpriced_runs_total"):
        assert named(again, f"dealguard_{name}") == {}, name
    assert again[of("dealguard_queue_wait_seconds_count")] == 0
    assert again[of("dealguard_analyses", namespace=NAMESPACE, state="suspended")] == 1, "what is, is told at once"


async def test_a_write_that_comes_second_counts_nothing_but_itself(api_server: ApiServer) -> None:
    api_server.analyse("foreign", key="documents/elsewhere/lease.pdf")
    api_server.conflicts = 2
    async with reconciling(api_server) as metrics:
        found = await until(metrics, of("dealguard_runs_total", phase="Failed", reason="DocumentKeyForbidden"), 1)
    assert found[of("dealguard_write_conflicts_total")] >= 2
    update = {"verb": "update", "resource": "contractanalyses/status"}
    assert found[of("dealguard_api_requests_total", **update, code="409")] >= 2
    assert found[of("dealguard_api_requests_total", **update, code="200")] == 1


async def test_failures_are_counted_by_their_class(api_server: ApiServer) -> None:
    metrics = Metrics()
    api = KubernetesApi(NOWHERE, request_timeout_seconds=1, metrics=metrics)
    with pytest.raises(errors.ApiError) as caught:
        await api.get_job(NAMESPACE, "x")
    await api.close()
    metrics.reconciled(0.1, caught.value)
    metrics.reconciled(0.1, KeyError("contract text"), is_expected=False)
    found = await samples(metrics)
    assert found[of("dealguard_api_requests_total", verb="get", resource="jobs", code="none")] == 1
    assert named(found, "dealguard_reconcile_errors_total") == {
        of("dealguard_reconcile_errors_total", error="UnavailableError"): 1,
        of("dealguard_reconcile_errors_total", error="Unexpected"): 1,
    }
    assert "contract text" not in str(found)


@pytest.mark.parametrize(
    ("why", "call", "verb", "resource"),
    [
        ("all namespaces", lambda api: _all(api.list_analyses(None)), "list", "contractanalyses"),
        ("one namespace", lambda api: _all(api.list_analyses("a")), "list", "contractanalyses"),
        ("all namespaces", lambda api: _all(api.list_jobs(None)), "list", "jobs"),
        ("one namespace", lambda api: _all(api.list_pods("a")), "list", "pods"),
        ("one by name", lambda api: api.get_analysis("a", "x"), "get", "contractanalyses"),
        ("one by name", lambda api: api.get_job("a", "x"), "get", "jobs"),
        ("a subresource", lambda api: api.replace_status(_OBJECT), "update", "contractanalyses/status"),
        ("with a body", lambda api: api.delete_job("a", "x", uid="1"), "delete", "jobs"),
        (
            "with a body",
            lambda api: api.delete_analysis("a", "x", uid="1", resource_version="1"),
            "delete",
            "contractanalyses",
        ),
        ("a creation", lambda api: api.create_job(_OBJECT), "create", "jobs"),
        ("a creation", lambda api: api.create_secret(_OBJECT), "create", "secrets"),
        ("a creation", lambda api: api.create_event(_EVENT), "create", "events"),
    ],
)
async def test_every_request_is_counted_in_the_words_of_rbac(
    why: str, call: Callable[[KubernetesApi], Awaitable[Any]], verb: str, resource: str
) -> None:
    metrics = Metrics()
    api = KubernetesApi(NOWHERE, request_timeout_seconds=1, metrics=metrics)
    with pytest.raises(errors.ApiError):  # nobody answers there
        await call(api)
    await api.close()
    found = named(await samples(metrics), "dealguard_api_requests_total")
    assert found == {of("dealguard_api_requests_total", verb=verb, resource=resource, code="none"): 1}, why


_OBJECT = {"metadata": {"namespace": "a", "name": "x"}}
_EVENT = {**_OBJECT, "involvedObject": {}}


async def _all(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


def _status(**fields: Any) -> ContractAnalysisStatus:
    return completed(engine="claude").model_copy(update=fields)


@pytest.mark.parametrize(
    ("why", "before", "after", "runs"),
    [
        ("it ended", started(), _status(), 1),
        ("it is only observed again", _status(), _status(observed_generation=2), 0),
        ("it began and could not start", ContractAnalysisStatus(), _status(phase=Phase.FAILED), 1),
        ("the next run began and could not start", _status(run=1), _status(run=2, phase=Phase.FAILED), 1),
        ("the next run begins", _status(run=1), started().model_copy(update={"run": 2}), 0),
        ("it goes on", started(), started(), 0),
    ],
)
async def test_a_run_is_counted_when_its_end_is_written(
    why: str, before: ContractAnalysisStatus, after: ContractAnalysisStatus, runs: int
) -> None:
    metrics = Metrics()
    metrics.status_written(before, after, ())
    assert sum(named(await samples(metrics), "dealguard_runs_total").values()) == runs, why


async def test_what_a_pod_says_makes_no_labels() -> None:
    metrics = Metrics(model=MODEL)
    result = completed(engine="claude").result
    assert result is not None
    invented = result.model_copy(update={"model": "pay-me-1000"})
    attempts = [Attempt(pod_name="x", reason="SomethingElse")]
    metrics.status_written(started(), _status(result=invented, attempts=attempts), ())
    found = await samples(metrics)
    assert {dict(labels)["model"] for _, labels in named(found, "dealguard_tokens_total")} == {"other"}
    assert of("dealguard_attempts_total", reason="other") in found


async def test_tokens_without_a_price_are_told_apart_from_free_ones() -> None:
    metrics = Metrics(model=MODEL)
    usage = completed(engine="claude").usage
    assert usage is not None
    metrics.status_written(started(), _status(usage=usage.model_copy(update={"cost_usd": None})), ())
    found = await samples(metrics)
    assert found[of("dealguard_unpriced_runs_total", model=MODEL)] == 1
    assert named(found, "dealguard_cost_usd_total") == {}


@pytest.mark.parametrize(
    ("why", "start", "end", "stages"),
    [
        ("as it should be", at(6), at(30), {"Starting", "Extracting", "Analyzing"}),
        ("the node's clock is behind", at(-60), at(-36), {"Starting", "Extracting", "Analyzing"}),
        ("what a runtime says of a container that it could not start", EPOCH, at(30), {"Starting", "Extracting"}),
        ("before all times", BEFORE_ALL, at(30), {"Starting", "Extracting"}),
        ("an end that is yet to come", at(6), at(10**9), {"Starting", "Extracting"}),
    ],
)
async def test_a_stage_whose_times_cannot_be_is_not_counted(
    why: str, start: datetime, end: datetime, stages: set[str]
) -> None:
    metrics = Metrics()
    odd = replace(succeeded(), analyze=Terminated(0, "Completed", "", start, end))
    metrics.status_written(started(), _status(attempts=[Attempt(pod_name=odd.name, reason="Completed")]), (odd,))
    seconds = named(await samples(metrics), "dealguard_stage_duration_seconds_sum")
    assert {dict(labels)["stage"] for _, labels in seconds} == stages, why
    assert sum(seconds.values()) < 60, why


async def test_the_number_of_namespaces_is_limited() -> None:
    metrics = Metrics()
    done = completed()
    idle = [pack(_in(f"n{number:04}", done)) for number in range(MAX_NAMESPACES + 50)]
    busy = [_in("z-the-busiest", started()) for _ in range(3)]
    last = [_in("n0549", ContractAnalysisStatus()), _in("n0549", ContractAnalysisStatus())]
    metrics.read_from(lambda: Snapshot([*idle, *busy, *last], 0, 0.0, {}))
    found = await samples(metrics)
    told = {dict(labels)["namespace"] for _, labels in named(found, "dealguard_analyses")}
    assert len(told) == MAX_NAMESPACES + 1
    assert {"z-the-busiest", "n0549", OTHER_NAMESPACES} <= told
    assert found[of("dealguard_analyses", namespace="z-the-busiest", state="running")] == 3
    assert found[of("dealguard_analyses", namespace="n0549", state="queued")] == 2


def _in(namespace: str, status: ContractAnalysisStatus) -> Analysis:
    plain = analysis(status)
    return Analysis(**{**plain.__dict__, "namespace": namespace})


async def test_leaders_are_told_apart_by_their_leases() -> None:
    election = {"LEADER_ELECTION": "true", "LEASE_NAMESPACE": "legal", "LEASE_NAME": "a-operator", "HEALTH_PORT": "0"}
    operator = Operator(settings(**election), NOWHERE)
    await operator.start()
    found = named(await samples(operator.metrics), "dealguard_leader")
    await operator.stop()
    assert found == {of("dealguard_leader", lease="legal/a-operator"): 0}, "nobody gives it the lease"


async def test_an_operator_that_begins_anew_in_its_process_keeps_its_counters() -> None:
    metrics = Metrics()
    metrics.read_from(lambda: Snapshot([], 1, 0.0, {}))
    metrics.status_written(started(), completed(), ())
    metrics.read_from(lambda: Snapshot([], 2, 0.0, {}))
    found = await samples(metrics)
    assert found[of("dealguard_work_queue_depth")] == 2
    assert found[of("dealguard_restarts_total")] == 1
    assert sum(named(found, "dealguard_runs_total").values()) == 1


async def test_the_format_is_the_one_asked_for() -> None:
    metrics = Metrics()
    text, content_type = await scrape(metrics)
    assert content_type.startswith("text/plain; version=")
    assert list(parse_text(text))
    text, content_type = await scrape(metrics, "application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert list(parse_openmetrics(text))


async def test_metrics_are_named_and_documented_as_declared() -> None:
    metrics = Metrics()
    metrics.read_from(lambda: Snapshot([], 0, 0.0, {}))
    text, _ = await scrape(metrics)
    exposed = dict(re.findall(r"^# TYPE (dealguard_\w+) (\w+)$", text, re.M))
    assert {name: type_ for name, type_ in exposed.items() if not name.endswith("_created")} == {
        declared.name: declared.type for declared in DECLARATIONS
    }
    for declared in DECLARATIONS:
        assert declared.name.endswith("_total") == (declared.type == "counter"), declared.name
        assert not {"uid", "name", "pod"} & set(declared.labels), "too many values"


def test_the_page_speaks_of_no_metric_that_does_not_exist() -> None:
    page = (REPOSITORY / "docs/metrics.md").read_text()
    known = {declared.name for declared in DECLARATIONS}
    mentioned = set(re.findall(r"dealguard_[a-z_]+", page)) - {"dealguard_operator"}
    stems = {re.sub(r"_(bucket|sum|count)$", "", name) for name in mentioned}
    assert stems == known
    (alerts,) = re.findall(r"```yaml\n(.*?)```", page, re.S)
    rules = yaml.safe_load(alerts)["groups"][0]["rules"]
    of_leaders = [rule["expr"] for rule in rules if "dealguard_leader" in rule["expr"]]
    assert len(of_leaders) == 2
    assert all("sum by (lease)" in expression for expression in of_leaders), "each shard has a leader of its own"
    assert all(set(rule) <= {"alert", "expr", "for", "annotations"} for rule in rules)


def test_the_version_is_the_distributions() -> None:
    project = (REPOSITORY / "pyproject.toml").read_text()
    assert f'\nversion = "{dealguard_operator.__version__}"\n' in project
