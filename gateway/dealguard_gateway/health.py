"""Probes and metrics, on a port of their own: nobody's business outside the cluster.

Served by the event loop that does the work, so a loop that hangs does not answer, and is found dead.
"""

import json
from collections.abc import Iterable, Sequence

from aiohttp import web
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dealguard_gateway.kubernetes.store import AnalysisStore
from dealguard_gateway.metrics import CONTENT_TYPE, Metrics
from dealguard_gateway.routes.answers import STALE_SECONDS

_SHUTDOWN_SECONDS = 0.1


class Readiness:
    """Whether traffic should come here.

    Args:
        store: what reads are answered from.
    """

    def __init__(self, store: AnalysisStore) -> None:
        self._store = store
        self.is_stopping = False

    def find_unready(self) -> list[str]:
        """What is wrong."""
        if self.is_stopping:
            return ["the process is ending"]
        if not self._store.synced:
            return ["the analyses have not been read yet"]
        if self._store.age_seconds > STALE_SECONDS:
            return [f"the watch has heard nothing for {self._store.age_seconds:.0f} s"]
        return []


class HealthServer:
    """`GET /healthz`, `/readyz`, `/metrics`.

    Args:
        port: where to listen, on all addresses.
        readiness: whether traffic should come here.
        metrics: what is counted.
    """

    def __init__(self, port: int, readiness: Readiness, metrics: Metrics) -> None:
        self._port = port
        self._readiness = readiness
        self._metrics = metrics
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken, or not allowed.
        """
        application = web.Application()
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/readyz", self._readyz)
        application.router.add_get("/metrics", self._render)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, host=None, port=self._port).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        return _answer([])

    async def _readyz(self, _: web.Request) -> web.Response:
        return _answer(self._readiness.find_unready())

    async def _render(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.render(), headers={"Content-Type": CONTENT_TYPE})


def _answer(problems: Sequence[str]) -> web.Response:
    body = {"status": "failing", "problems": problems} if problems else {"status": "ok"}
    return web.Response(status=503 if problems else 200, text=json.dumps(body), content_type="application/json")


class StoreCollector(Collector):
    """The store's figures, read when they are asked for.

    Args:
        store: what reads are answered from.
    """

    def __init__(self, store: AnalysisStore) -> None:
        self._store = store

    def collect(self) -> Iterable[Metric]:
        """How many analyses there are, and how old the word on them is."""
        yield GaugeMetricFamily("dealguard_gateway_analyses", "Analyses in memory.", value=self._store.size)
        yield GaugeMetricFamily(
            "dealguard_gateway_watch_age_seconds",
            "Since the API server last confirmed that what is in memory is up to date.",
            value=self._store.age_seconds,
        )
