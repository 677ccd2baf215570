"""The operator from start to end: settings, Kopf's handlers, the reconciler they feed."""

import asyncio
import contextlib
import dataclasses
import itertools
import logging
import os
import socket
import sys
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

import kopf
import prometheus_client
import uvloop
from kubernetes.aio.client import Configuration

from dealguard_api import names
from dealguard_operator import __version__, memory
from dealguard_operator.child_watch import ChildWatch
from dealguard_operator.connection import JOBS, PODS
from dealguard_operator.errors import SettingsError
from dealguard_operator.http_endpoints import HttpEndpoints
from dealguard_operator.kopf_settings import NoMemories, kopf_settings
from dealguard_operator.kubernetes_api import KubernetesApi, client_configuration, in_cluster_server
from dealguard_operator.lease import Alone, Election, boot_time
from dealguard_operator.lease_api import LeaseApi
from dealguard_operator.logs import configure_logs, quieten_libraries
from dealguard_operator.metrics import Metrics
from dealguard_operator.presign import Presigner
from dealguard_operator.reconciler import Reconciler
from dealguard_operator.report_storage import ReportStorage, tls_context
from dealguard_operator.restarts import end_with, run_until_stopped
from dealguard_operator.reuse import Reuse
from dealguard_operator.server_clock import ServerClock
from dealguard_operator.settings import OperatorSettings

if TYPE_CHECKING:
    from dealguard_operator.tracing import RunTraces

logger = logging.getLogger(__name__)

# Some resyncs may fail, with an API server that restarts for a minute: dead is who sees nothing for longer.
_DEAD_RESYNCS, _DEAD_SECONDS = 4, 60
# Unready is who missed one resync and had time to try again.
_UNREADY_SECONDS = 20
# The Lease is asked for every few seconds.
_UNREADY_LEASE_SECONDS = 45
# Kopf's first list, most of it of what has ended, takes half of the CPU time: what waited for an operator goes first.
# What is new, or changed since the first look, is seen so much later at most.
_CATCH_UP_SECONDS = 10


class Operator:
    """The reconciler and what it runs on, from Kopf's start-up to its clean-up.

    Args:
        settings: what the installation chose.
        configuration: how to reach the API server.
        clock: a monotonic clock, in seconds.
        lease_clock: seconds that go on while the machine is suspended.
        catch_up_seconds: how long Kopf waits at most for what waited for an operator.
        metrics: where it counts; its own if there is no other.
        traces: what exports traces; None: nothing does.
    """

    def __init__(
        self,
        settings: OperatorSettings,
        configuration: Configuration,
        *,
        clock: Callable[[], float] = time.monotonic,
        lease_clock: Callable[[], float] = boot_time,
        catch_up_seconds: float = 0,
        metrics: Metrics | None = None,
        traces: "RunTraces | None" = None,
    ) -> None:
        self._settings = settings
        self._configuration = configuration
        self._clock = clock
        self._lease_clock = lease_clock
        self._catch_up_seconds = catch_up_seconds
        self._traces = traces
        self._tasks: list[asyncio.Task[None]] = []
        self._api: KubernetesApi | None = None
        self._leases: LeaseApi | None = None
        self._election: Election | None = None
        self._reuse: Reuse | None = None
        self._watches: dict[tuple[str, str | None], ChildWatch] = {}
        self.endpoints = HttpEndpoints(settings.health_port, find_dead=self.find_dead, find_unready=self.find_unready)
        self.metrics = metrics or Metrics(model=settings.claude.model, version=__version__)
        self.endpoints.add_route("/metrics", self.metrics.handler())
        self.reconciler: Reconciler | None = None
        self.stopped = asyncio.Event()

    async def start(self) -> None:
        """Connect, listen, begin to reconcile, and compete for the lease if there may be others.

        Raises:
            kopf.PermanentError: the port is taken.
        """
        settings = self._settings
        if settings.leader_election:
            self._leases = LeaseApi(
                self._configuration, settings.lease_namespace, settings.lease_name, metrics=self.metrics
            )
            self._election = Election(
                self._leases,
                _identity(),
                settings.lease_duration_seconds,
                on_won=self._take_everything_up,
                clock=self._lease_clock,
            )
        leadership, server_clock = self._election or Alone(), ServerClock()
        self._api = KubernetesApi(
            self._configuration,
            leadership=leadership,
            analysis_selector=settings.analysis_selector,
            metrics=self.metrics,
            clock=server_clock,
        )
        if settings.reuse:
            self._reuse = Reuse(ReportStorage(settings), settings, now=server_clock.now)
        self.reconciler = Reconciler(
            self._api,
            Presigner(settings),
            settings,
            leadership=leadership,
            reuse=self._reuse,
            now=server_clock.now,
            clock=self._clock,
            metrics=self.metrics,
            trace_run=self._traces.trace_run if self._traces else lambda analysis, pods: None,
            on_listed=self._begin_watch,
        )
        for namespace in settings.namespaces or (None,):
            for collection, see in ((PODS, self.reconciler.see_pod), (JOBS, self.reconciler.see_job)):
                watch = ChildWatch(self._api, collection, namespace, see, self.reconciler.resync_soon)
                self._watches[collection.plural, namespace] = watch
        lease = f"{settings.lease_namespace}/{settings.lease_name}" if settings.leader_election else ""
        self.metrics.read_from(self.reconciler.snapshot, self.leads, lease=lease)
        if settings.health_port:
            try:
                await self.endpoints.start()
            except OSError as error:
                raise kopf.PermanentError(
                    f"port {settings.health_port} cannot be listened on ({error.strerror}): set DEALGUARD_HEALTH_PORT"
                ) from error
        self._run(self.reconciler.run(), "reconciler")
        for (kind, _), watch in self._watches.items():
            self._run(watch.run(), f"watch of {kind}")
        if self._election is not None:
            self._run(self._compete(self.reconciler, self._election), "election")

    async def catch_up(self) -> None:
        """Wait until what waited for an operator had its turn, if this process leads, and not for long."""
        if self.reconciler is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._catch_up_seconds):
                if self._election is not None:
                    await self._election.wait_first_turn()
                if self.leads():  # else who does goes on: know everything soon
                    await self.reconciler.wait_caught_up()

    async def stop(self) -> None:
        """End at once: everything is taken up again from the cluster's state, by the next start or another leader."""
        try:
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)  # however they ended: that is logged already
            if self._election is not None:
                await self._election.release()
            for connection in (self._api, self._leases, self._reuse):
                if connection is not None:
                    await connection.close()
            await self.endpoints.stop()
            if self._traces is not None:
                await asyncio.to_thread(self._traces.close)
        finally:
            self.stopped.set()  # what could not be closed is not tried again: the process ends

    def leads(self) -> bool:
        """Whether this process may write."""
        return self._election is None or self._election.seconds_left() > 0

    def find_dead(self) -> list[str]:
        """What only a restart repairs: a part has ended, or sees nothing any more."""
        problems = [f"the {task.get_name()} is not running" for task in self._tasks if task.done()]
        if self.reconciler is None:
            return [*problems, "the reconciler is not running"]
        seconds = self.reconciler.seconds_since_resync()
        if self.reconciler.seconds_overdue() > _DEAD_RESYNCS * self._settings.resync_seconds + _DEAD_SECONDS:
            problems.append(f"the cluster could not be listed for {seconds:.0f} s")
        return problems + self.reconciler.stale_watches()

    def find_unready(self) -> list[str]:
        """What keeps this process from working or from taking over: no lists yet, or none any more.

        A standby with its lists is ready: a rollout would wait for ever otherwise.
        """
        problems = self.find_dead()
        if self.reconciler is None or not self.reconciler.is_synced:
            return [*problems, "the cluster has not been listed yet"]
        seconds = self.reconciler.seconds_since_resync()
        if not problems and self.reconciler.seconds_overdue() > _UNREADY_SECONDS:
            problems.append(f"the API server did not let the cluster be listed for {seconds:.0f} s")
        if self._election is not None and (seconds := self._election.seconds_since_answer()) > _UNREADY_LEASE_SECONDS:
            problems.append(f"the API server did not let the Lease be read or written for {seconds:.0f} s")
        return problems

    @staticmethod
    async def _compete(reconciler: Reconciler, election: Election) -> None:
        """Compete once everything was listed: before, a standby that knows everything is the better leader."""
        await reconciler.wait_synced()
        await election.run()

    def _begin_watch(self, kind: str, namespace: str | None, resource_version: str) -> bool:
        """Tell a watch of a list; whether it goes on from there. The analyses' watch is Kopf's."""
        watch = self._watches.get((kind, namespace))
        return watch is not None and watch.listed(resource_version)

    def _take_everything_up(self) -> None:
        if self.reconciler is not None:
            self.reconciler.take_everything_up()

    def _run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_log_end)
        self._tasks.append(task)


def _identity() -> str:
    """The pod's name, and a part that no other process has, not even this one after a restart."""
    return f"{socket.gethostname()}_{uuid.uuid4().hex[:12]}"


def _log_end(task: asyncio.Task[None]) -> None:
    """Say why a part ended, if not on request: by type, because a message may quote what it worked on."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        causes = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
        kinds = ", ".join(type(cause).__name__ for cause in causes)
        logger.error("The %s ended (%s); the liveness endpoint asks for a restart.", task.get_name(), kinds)


def build_registry(operator: Operator) -> kopf.OperatorRegistry:
    """Kopf's handlers. They only pass on what they see: none here makes Kopf write into a resource.

    By default Kopf tries each of the first three again for ever.
    """
    registry = kopf.OperatorRegistry()

    # A token or kubeconfig that is being replaced can be read a moment later. Beyond half a minute the run ends, and
    # after some that ended so soon (restarts.py) the process, where the installation sees it.
    @kopf.on.login(registry=registry, errors=kopf.ErrorsMode.TEMPORARY, retries=6, backoff=5)
    async def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        if (connection := kopf.login_with_service_account(**kwargs)) is not None:
            # By the address that the kubelet gives every pod: Kopf's own choice needs the cluster's DNS to work.
            return dataclasses.replace(connection, server=in_cluster_server(os.environ))
        return kopf.login_with_kubeconfig(**kwargs)

    # Once: what a start that failed halfway left running is in the way of a second. The run ends, and the next one
    # (restarts.py) begins with nothing of it, so there is no pause here.
    @kopf.on.startup(registry=registry, errors=kopf.ErrorsMode.PERMANENT, retries=1, backoff=0)
    async def start(**_: Any) -> None:
        quieten_libraries()
        try:
            await operator.start()
            await operator.catch_up()  # before Kopf lists
        except asyncio.CancelledError:
            await _stop(operator)  # Kopf cleans up only after a start that was not interrupted
            raise

    # Once: the process is to end, within the time that the kubelet gives it. What was not given back expires.
    @kopf.on.cleanup(registry=registry, errors=kopf.ErrorsMode.IGNORED, retries=1, backoff=0)
    async def stop(**_: Any) -> None:
        await operator.stop()

    @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=registry)
    async def see_analysis(event: kopf.RawEvent, **_: Any) -> None:
        if operator.reconciler is not None:
            kind = event["type"]
            operator.reconciler.see_analysis(event["object"], is_deleted=kind == "DELETED", is_listed=kind is None)

    return registry


def run_traces(environment: Mapping[str, str]) -> "RunTraces | None":
    """What exports traces, if the installation asks for them in OpenTelemetry's own variable."""
    if not environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return None
    try:
        from dealguard_operator.tracing import RunTraces  # noqa: PLC0415 - see its docstring
    except ImportError:
        logger.warning(
            "No traces are exported: OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed. "
            "Install opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http, or unset the variable."
        )
        return None
    return RunTraces()


def main() -> int:
    """Run the operator until SIGTERM; the process's exit code."""
    try:
        settings = OperatorSettings.from_environment(os.environ)
        if settings.reuse:
            tls_context(settings)  # what is wrong with it is said now
        configuration = asyncio.run(client_configuration())
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - there are no logs yet
        return 2
    configure_logs(settings)
    # Else each counter has a second series that nobody asked for.
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
    metrics = Metrics(model=settings.claude.model, version=__version__)
    memory.prepare()
    # Only at first: what waits when Kopf is begun anew, waits since seconds ago.
    catch_up_seconds = itertools.chain([_CATCH_UP_SECONDS], itertools.repeat(0))

    def run() -> None:
        """One run, with nothing left of the one before but its counters. Returns on SIGTERM."""
        operator = Operator(
            settings,
            configuration,
            catch_up_seconds=next(catch_up_seconds),
            metrics=metrics,
            traces=run_traces(os.environ),
        )
        uvloop.run(run_kopf(operator, settings))

    return run_until_stopped(run)


async def run_kopf(operator: Operator, settings: OperatorSettings, *, stop_flag: asyncio.Event | None = None) -> None:
    """Have Kopf run the operator, until SIGTERM or `stop_flag`, or until Kopf ends by itself.

    Raises:
        Exception: whatever Kopf ended with.
    """
    run = kopf.operator(
        registry=build_registry(operator),
        settings=kopf_settings(settings),
        memories=NoMemories(),
        standalone=True,
        clusterwide=not settings.namespaces,
        namespaces=settings.namespaces,
        stop_flag=stop_flag,
    )
    try:
        await end_with(run, operator.stopped)
    finally:
        if not operator.stopped.is_set():  # Kopf did not come to its clean-up
            await _stop(operator)


async def _stop(operator: Operator) -> None:
    """Stop it where nobody is left to whom a failure matters: the process ends, or begins anew."""
    try:
        await operator.stop()
    except Exception as error:
        logger.error("The clean-up failed (%s).", type(error).__name__)
