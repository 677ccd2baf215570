"""The operator's Prometheus metrics: declared once, here; docs/metrics.md is generated from the declarations.

Names follow Prometheus' conventions. Labels take values from short lists only: never a name or a uid, and a namespace
only where it is what one asks for. Nothing here reads a contract or speaks of one.

A run is counted when this process has written its end into the status. A terminal status stays, so neither a restart
nor a resync counts it again; of an end whose write was not answered (the process was killed, the connection cut) the
counters know nothing, the status does.
"""

from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import prometheus_client
from aiohttp import web
from prometheus_client.aiohttp import make_aiohttp_handler
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dealguard_api.reasons import Reason
from dealguard_api.resource import Attempt, ContractAnalysisStatus
from dealguard_operator.model import Analysis, KnownAnalysis, PodState
from dealguard_operator.policies.conditions import current_reason
from dealguard_operator.policies.stopping import is_suspended
from dealguard_operator.stages import stage_intervals

# Values of labels that stand for everything else.
OTHER = "other"
OTHER_NAMESPACES = "_other"  # no namespace can be called that
NO_ANSWER = "none"

# The depth of this many namespaces is told apart, those with the most unfinished analyses; beyond, they are one.
MAX_NAMESPACES = 500

# Up to the time-out of a request.
_REQUEST_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
# Kubernetes' times have whole seconds, so finer ones would say nothing.
_WAIT_BUCKETS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0, 43200.0)
_RUN_BUCKETS = (1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1800.0)


@dataclass(frozen=True)
class Declaration:
    """A metric: how it is called, what its labels are, what it means."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = field(default=(), repr=False)


QUEUE_WAIT = Declaration(
    "dealguard_queue_wait_seconds",
    "histogram",
    "From the request of a run (`status.queuedAt`) to the creation of its first Job.",
    buckets=_WAIT_BUCKETS,
)
ANALYSES = Declaration(
    "dealguard_analyses",
    "gauge",
    "Analyses that have not ended. `state` is `queued` (without a Job), `suspended` or `running`.",
    ("namespace", "state"),
)
RUNS = Declaration(
    "dealguard_runs_total",
    "counter",
    "Runs that ended, by `status.phase` and the reason in the conditions.",
    ("phase", "reason"),
)
RUN_DURATION = Declaration(
    "dealguard_run_duration_seconds",
    "histogram",
    "From the start of the present Job to the end of the run, by the phase in which it ended; runs that never had a "
    "Job are left out.",
    ("phase",),
    _RUN_BUCKETS,
)
STAGE_DURATION = Declaration(
    "dealguard_stage_duration_seconds",
    "histogram",
    "How long one attempt took: `Starting` from the creation of its pod to its first container, then `Extracting` and "
    "`Analyzing`, each its container's life.",
    ("stage",),
    _RUN_BUCKETS,
)
ATTEMPTS = Declaration(
    "dealguard_attempts_total",
    "counter",
    "Pods that ended, by reason. What is not `Completed` was retried, or ended its run.",
    ("reason",),
)
TOKENS = Declaration(
    "dealguard_tokens_total",
    "counter",
    "Tokens that ended runs consumed, all their attempts together. `kind` is `input`, `output`, `cache_read` or "
    "`cache_write`; `model` is the configured one, else `other`.",
    ("model", "kind"),
)
COST = Declaration(
    "dealguard_cost_usd_total", "counter", "What these tokens cost, in USD, where the price is known.", ("model",)
)
UNPRICED_RUNS = Declaration(
    "dealguard_unpriced_runs_total",
    "counter",
    "Ended runs that consumed tokens at a price that is not known: their cost is missing above.",
    ("model",),
)
RECONCILE_DURATION = Declaration(
    "dealguard_reconcile_duration_seconds",
    "histogram",
    "One look at one analysis: to decide and to carry out what was decided. `result` is `settled` or `failed` (it is "
    "tried again).",
    ("result",),
    _REQUEST_BUCKETS,
)
RECONCILE_ERRORS = Declaration(
    "dealguard_reconcile_errors_total",
    "counter",
    "Looks that failed, by the class in errors.py; `Unexpected` is a fault of the operator.",
    ("error",),
)
CONFLICTS = Declaration(
    "dealguard_write_conflicts_total", "counter", "Writes that came second: the analysis was read and decided again."
)
WORK_QUEUE_DEPTH = Declaration(
    "dealguard_work_queue_depth", "gauge", "Analyses that wait to be looked at by the operator itself."
)
API_REQUESTS = Declaration(
    "dealguard_api_requests_total",
    "counter",
    "Requests to the API server, but for the watches and for Kopf's own (discovery, its list of the analyses). "
    "`verb` and `resource` are as in RBAC; `code` is the HTTP status, or `none` if there was no answer.",
    ("verb", "resource", "code"),
)
API_REQUEST_DURATION = Declaration(
    "dealguard_api_request_duration_seconds",
    "histogram",
    "How long these requests took, answered or not.",
    ("verb", "resource"),
    _REQUEST_BUCKETS,
)
WATCH_AGE = Declaration(
    "dealguard_watch_last_event_age_seconds",
    "gauge",
    "Since a watch last delivered something; since the start if it never did. It grows while nothing happens.",
    ("resource",),
)
STALE_WATCHES = Declaration(
    "dealguard_stale_watches",
    "gauge",
    "Watches that did not tell for minutes what a list showed. The liveness probe fails on one.",
)
RESYNC_AGE = Declaration(
    "dealguard_last_resync_age_seconds", "gauge", "Since everything was last listed completely; since the start before."
)
RESTARTS = Declaration(
    "dealguard_restarts_total",
    "counter",
    "How often the operator began anew within its process, because a watch broke off in a way that Kopf does not bear.",
)
LEADER = Declaration(
    "dealguard_leader",
    "gauge",
    "1 if this process may write, 0 if it stands by. `lease` is the Lease that it competes for, `namespace/name`; "
    "empty without leader election.",
    ("lease",),
)
BUILD_INFO = Declaration("dealguard_build_info", "gauge", "Always 1; `version` is the operator's.", ("version",))

DECLARATIONS = (
    ANALYSES,
    QUEUE_WAIT,
    STAGE_DURATION,
    RUN_DURATION,
    RUNS,
    ATTEMPTS,
    TOKENS,
    COST,
    UNPRICED_RUNS,
    WORK_QUEUE_DEPTH,
    RECONCILE_DURATION,
    RECONCILE_ERRORS,
    CONFLICTS,
    API_REQUESTS,
    API_REQUEST_DURATION,
    WATCH_AGE,
    STALE_WATCHES,
    RESYNC_AGE,
    LEADER,
    RESTARTS,
    BUILD_INFO,
)


@dataclass(frozen=True)
class Snapshot:
    """What the gauges say, taken when they are read."""

    analyses: Iterable[KnownAnalysis]
    work_queue_depth: int
    seconds_since_resync: float
    seconds_since_event: Mapping[str, float]  # by resource
    stale_watches: int = 0


class Metrics:
    """The metrics of one operator, in a registry of their own.

    Args:
        model: the installation's model for the `claude` engine; others, which a pod may name, are `other`.
        version: of the operator.
    """

    def __init__(self, *, model: str = OTHER, version: str = "") -> None:
        self.registry = prometheus_client.CollectorRegistry()
        self._model = model
        self._queue_wait = self._histogram(QUEUE_WAIT)
        self._runs = self._counter(RUNS)
        self._run_duration = self._histogram(RUN_DURATION)
        self._stage_duration = self._histogram(STAGE_DURATION)
        self._attempts = self._counter(ATTEMPTS)
        self._tokens = self._counter(TOKENS)
        self._cost = self._counter(COST)
        self._unpriced_runs = self._counter(UNPRICED_RUNS)
        self._reconcile_duration = self._histogram(RECONCILE_DURATION)
        self._reconcile_errors = self._counter(RECONCILE_ERRORS)
        self._conflicts = self._counter(CONFLICTS)
        self._api_requests = self._counter(API_REQUESTS)
        self._api_request_duration = self._histogram(API_REQUEST_DURATION)
        self._gauge(BUILD_INFO).labels(version=version).set(1)
        self._restarts = self._counter(RESTARTS)
        self._state: _State | None = None
        # CPU, memory, file descriptors, start time, as every Prometheus client names them.
        prometheus_client.ProcessCollector(registry=self.registry)

    def read_from(
        self, take_snapshot: Callable[[], Snapshot], is_leader: Callable[[], bool] = lambda: True, *, lease: str = ""
    ) -> None:
        """Compute the gauges from these, each time they are read. Called again when the operator begins anew."""
        if self._state is not None:
            self.registry.unregister(self._state)
            self._restarts.inc()
        self._state = _State(take_snapshot, is_leader, lease)
        self.registry.register(self._state)

    def handler(self) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Answers a scrape, in the format that it asks for."""
        return make_aiohttp_handler(self.registry)

    # What happened.

    def job_created(self, status: ContractAnalysisStatus, seconds_since_queued: float) -> None:
        """A Job was made for the run in `status`. Later ones of the same run, after a pause, have not queued."""
        if (status.job_count or 1) == 1:
            self._queue_wait.observe(max(0.0, seconds_since_queued))

    def status_written(
        self, before: ContractAnalysisStatus, after: ContractAnalysisStatus, pods: Iterable[PodState]
    ) -> None:
        """The status `after` was written over `before`; `pods` are those that it was decided by."""
        by_name = {pod.name: pod for pod in pods}
        for attempt in _new_attempts(before, after):
            self._attempts.labels(reason=_known(attempt.reason)).inc()
            for interval in stage_intervals(by_name[attempt.pod_name]) if attempt.pod_name in by_name else ():
                self._stage_duration.labels(stage=interval.stage.value).observe(interval.seconds)
        if has_ended_run(before, after):
            self._run_ended(after)

    def reconciled(self, seconds: float, error: Exception | None, *, is_expected: bool = True) -> None:
        """An analysis was looked at."""
        self._reconcile_duration.labels(result="settled" if error is None else "failed").observe(seconds)
        if error is not None:
            self._reconcile_errors.labels(error=type(error).__name__ if is_expected else "Unexpected").inc()

    def conflicted(self) -> None:
        """A write was refused because the object had changed."""
        self._conflicts.inc()

    def api_answered(self, verb: str, resource: str, status: int | None, seconds: float) -> None:
        """The API server answered a request with an HTTP status; None: not at all."""
        self._api_requests.labels(verb=verb, resource=resource, code=NO_ANSWER if status is None else str(status)).inc()
        self._api_request_duration.labels(verb=verb, resource=resource).observe(seconds)

    def _run_ended(self, status: ContractAnalysisStatus) -> None:
        assert status.phase is not None, "it has ended"
        self._runs.labels(phase=status.phase.value, reason=_known(current_reason(status))).inc()
        if status.duration_seconds is not None:
            self._run_duration.labels(phase=status.phase.value).observe(status.duration_seconds)
        usage = status.usage
        if usage is None:
            return
        tokens = {
            "input": usage.input_tokens,
            "output": usage.output_tokens,
            "cache_read": usage.cache_read_tokens,
            "cache_write": usage.cache_write_tokens,
        }
        # A run without a result does not say its model; it was told the configured one.
        says_another = status.result is not None and status.result.model != self._model
        model = OTHER if says_another else self._model
        for kind, number in tokens.items():
            if number:
                self._tokens.labels(model=model, kind=kind).inc(number)
        if usage.cost is None:
            self._unpriced_runs.labels(model=model).inc()
        elif usage.cost:
            self._cost.labels(model=model).inc(float(usage.cost))

    def _counter(self, of: Declaration) -> prometheus_client.Counter:
        return prometheus_client.Counter(of.name, of.meaning, of.labels, registry=self.registry)

    def _gauge(self, of: Declaration) -> prometheus_client.Gauge:
        return prometheus_client.Gauge(of.name, of.meaning, of.labels, registry=self.registry)

    def _histogram(self, of: Declaration) -> prometheus_client.Histogram:
        return prometheus_client.Histogram(of.name, of.meaning, of.labels, registry=self.registry, buckets=of.buckets)


def has_ended_run(before: ContractAnalysisStatus, after: ContractAnalysisStatus) -> bool:
    """Whether a run ended between the two."""
    if not after.has_ended:
        return False
    return not before.has_ended or before.run != after.run


class _State(Collector):
    """The gauges that are computed when they are read."""

    def __init__(self, take_snapshot: Callable[[], Snapshot], is_leader: Callable[[], bool], lease: str) -> None:
        self._take_snapshot = take_snapshot
        self._is_leader = is_leader
        self._lease = lease

    def describe(self) -> Iterable[Metric]:
        """Their names, so that registering reads nothing yet."""
        return [_family(of) for of in (ANALYSES, WORK_QUEUE_DEPTH, WATCH_AGE, STALE_WATCHES, RESYNC_AGE, LEADER)]

    def collect(self) -> Iterator[Metric]:
        snapshot = self._take_snapshot()
        yield _family(ANALYSES, {key: float(number) for key, number in _depths(snapshot.analyses).items()})
        yield _family(WORK_QUEUE_DEPTH, {(): float(snapshot.work_queue_depth)})
        yield _family(WATCH_AGE, {(name,): seconds for name, seconds in snapshot.seconds_since_event.items()})
        yield _family(STALE_WATCHES, {(): float(snapshot.stale_watches)})
        yield _family(RESYNC_AGE, {(): snapshot.seconds_since_resync})
        yield _family(LEADER, {(self._lease,): float(self._is_leader())})


def _family(of: Declaration, samples: Mapping[tuple[str, ...], float] | None = None) -> GaugeMetricFamily:
    family = GaugeMetricFamily(of.name, of.meaning, labels=of.labels)
    for labels, value in (samples or {}).items():
        family.add_metric(labels, value)
    return family


_STATES = ("queued", "suspended", "running")


def _depths(analyses: Iterable[KnownAnalysis]) -> dict[tuple[str, str], int]:
    """Namespace and state to the number of analyses, 0 included for each namespace that has any."""
    by_namespace: dict[str, Tally[str]] = {}
    for analysis in analyses:
        states = by_namespace.setdefault(analysis.namespace, Tally())
        if isinstance(analysis, Analysis) and (state := _state(analysis.status)) is not None:
            states[state] += 1
    ranked = sorted(by_namespace, key=lambda name: (-by_namespace[name].total(), name))
    for name in ranked[MAX_NAMESPACES:]:
        by_namespace.setdefault(OTHER_NAMESPACES, Tally()).update(by_namespace.pop(name))
    return {(name, state): states[state] for name, states in sorted(by_namespace.items()) for state in _STATES}


def _state(status: ContractAnalysisStatus) -> str | None:
    if status.has_ended:
        return None
    if status.job_name is not None and not is_suspended(status):
        return "running"
    return "suspended" if is_suspended(status) else "queued"


def _new_attempts(before: ContractAnalysisStatus, after: ContractAnalysisStatus) -> list[Attempt]:
    known = {attempt.pod_name for attempt in before.attempts}
    return [attempt for attempt in after.attempts if attempt.pod_name not in known]


def _known(reason: str | None) -> str:
    return reason if reason in set(Reason) else OTHER
