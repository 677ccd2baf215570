"""The process: the parts it is made of, its beginning and its end."""

import asyncio
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import uvicorn
import uvloop

from dealguard_gateway import __version__
from dealguard_gateway.access.oidc import Oidc
from dealguard_gateway.access.reviews import Reviews
from dealguard_gateway.access.sessions import Sessions
from dealguard_gateway.app import create_app
from dealguard_gateway.health import HealthServer, Readiness, StoreCollector
from dealguard_gateway.http.limits import RateLimits
from dealguard_gateway.http.protocol import protocol_settings
from dealguard_gateway.kubernetes.api import Connection, KubernetesApi, find_connection
from dealguard_gateway.kubernetes.store import AnalysisStore
from dealguard_gateway.kubernetes.watch import AnalysisWatch
from dealguard_gateway.logs import configure_logs
from dealguard_gateway.metrics import Metrics
from dealguard_gateway.routes import openapi
from dealguard_gateway.routes.page import check_page
from dealguard_gateway.services import Services
from dealguard_gateway.settings import GatewaySettings, SettingsError
from dealguard_gateway.storage.documents import DocumentStorage

# For uploads that are under way; with the rest, below the 60 s that the chart gives a pod, and the 30 s of others.
_SHUTDOWN_SECONDS = 20
# Python's own (700, 10, 10) go through all analyses and connections again at every few thousand new ones: with ten
# thousand of each that took a third of the CPU time, and held up everybody for half a second. What a request leaves
# behind is freed without: few of its objects refer to each other in circles.
_GC_THRESHOLDS = (20_000, 20, 50)
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = logging.getLogger(__name__)


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Run the gateway until it is told to end; the exit code."""
    try:
        settings = GatewaySettings.from_environment(environment)
        configure_logs(settings)
        _allow_connections()
        return uvloop.run(serve(settings, environment))
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before there are logs
        return 2


async def serve(settings: GatewaySettings, environment: Mapping[str, str] = os.environ) -> int:
    """Serve until SIGTERM; the exit code.

    Raises:
        SettingsError: there is no cluster to speak to.
    """
    check_page(settings)
    is_blind = False
    async with running_services(settings, await find_connection(environment)) as services:
        app = create_app(services)
        openapi.rendered(app)
        readiness = Readiness(services.store)
        services.metrics.add(StoreCollector(services.store))
        collect_rarely()
        server = _Server(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                log_config=None,
                lifespan="off",
                timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
                # Whose word on the client's address and scheme counts; uvicorn itself would believe this machine's.
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=list(settings.trusted_proxies),
                **protocol_settings(),
            )
        )

        def stop() -> None:
            log.info("ending: event streams are closed, requests under way are answered")
            readiness.is_stopping = True
            app.state.streams.close()
            services.store.close()
            server.should_exit = True

        def give_up() -> None:
            nonlocal is_blind
            is_blind = True
            stop()

        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, stop)
        watch = AnalysisWatch(services.kubernetes, services.store, namespaces=settings.namespaces)
        async with watching(watch, give_up), _health(settings, readiness, services.metrics):
            log.info("gateway %s on port %d", __version__, settings.port)
            await server.serve()
    return 0 if server.started and not is_blind else 1


@asynccontextmanager
async def running_services(settings: GatewaySettings, connection: Connection) -> AsyncIterator[Services]:
    """What routes need, until the block ends."""
    metrics = Metrics()
    store = AnalysisStore(settings.namespaces)
    sessions = Sessions(settings)
    oidc = Oidc(settings) if settings.oidc_issuer else None
    documents = DocumentStorage(settings)
    async with KubernetesApi(connection) as kubernetes:
        services = Services(
            settings=settings,
            kubernetes=kubernetes,
            store=store,
            access=Reviews(
                kubernetes,
                sessions,
                issuer=oidc if settings.oidc_mode == "impersonate" else None,
                cache_seconds=settings.review_cache_seconds,
                metrics=metrics,
            ),
            sessions=sessions,
            oidc=oidc,
            documents=documents,
            limits=RateLimits(settings),
            metrics=metrics,
        )
        try:
            yield services
        finally:
            await documents.close()


@asynccontextmanager
async def watching(watch: AnalysisWatch, give_up: Callable[[], None]) -> AsyncIterator[None]:
    """Run the watch until the block ends.

    Args:
        watch: feeds the store.
        give_up: called if it ends by itself: what is shown would only get older, and a new process may do better.
    """

    def look(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            log.error("ending: the watch of the analyses has ended unexpectedly", exc_info=task.exception())
            give_up()

    task = asyncio.create_task(watch.run())
    task.add_done_callback(look)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,))


@asynccontextmanager
async def _health(settings: GatewaySettings, readiness: Readiness, metrics: Metrics) -> AsyncIterator[None]:
    if not settings.health_port:
        yield
        return
    server = HealthServer(settings.health_port, readiness, metrics)
    await server.start()
    try:
        yield
    finally:
        await server.stop()


def _allow_connections() -> None:
    """As many open files as are allowed at all: each client has a connection, and the usual limit is 1024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def collect_rarely() -> None:
    """Look for garbage less often, and never among what has been loaded by now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


class _Server(uvicorn.Server):
    """uvicorn, whose signals are handled by `serve`: it would end with the signal's own exit code."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield
