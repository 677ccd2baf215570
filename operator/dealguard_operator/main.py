"""The operator from start to end: settings, Kopf's handlers, the reconciler they feed."""

import asyncio
import dataclasses
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import kopf
from kubernetes.aio.client import Configuration

from dealguard_api import names
from dealguard_operator.errors import SettingsError
from dealguard_operator.kopf_settings import kopf_settings
from dealguard_operator.kubernetes_api import KubernetesApi, client_configuration, in_cluster_server
from dealguard_operator.logs import configure_logs, quieten_libraries
from dealguard_operator.presign import Presigner
from dealguard_operator.reconciler import Reconciler
from dealguard_operator.settings import OperatorSettings

logger = logging.getLogger(__name__)

# Some resyncs may fail, with an API server that restarts for a minute.
_STALE_RESYNCS, _STALE_SECONDS = 5, 60


class Operator:
    """The reconciler and what it runs on, from Kopf's start-up to its clean-up."""

    def __init__(
        self, settings: OperatorSettings, configuration: Configuration, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._configuration = configuration
        self._clock = clock
        self._api: KubernetesApi | None = None
        self._task: asyncio.Task[None] | None = None
        self.reconciler: Reconciler | None = None

    async def start(self) -> None:
        """Connect, and begin to reconcile."""
        self._api = KubernetesApi(self._configuration)
        self.reconciler = Reconciler(self._api, Presigner(self._settings), self._settings, clock=self._clock)
        self._task = asyncio.create_task(self.reconciler.run(), name="reconciler")
        self._task.add_done_callback(_log_end)

    async def stop(self) -> None:
        """End at once: everything is taken up again from the cluster's state at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])  # however it ended: that is logged already
        if self._api is not None:
            await self._api.close()

    def check(self) -> str:
        """What the liveness endpoint says.

        Raises:
            kopf.PermanentError: the reconciler has ended or sees nothing any more, so the process should end.
        """
        if self.reconciler is None or self._task is None or self._task.done():
            raise kopf.PermanentError("the reconciler is not running")
        seconds = self.reconciler.seconds_since_resync()
        if seconds > _STALE_RESYNCS * self._settings.resync_seconds + _STALE_SECONDS:
            raise kopf.PermanentError(f"the cluster could not be listed for {seconds:.0f} s")
        return "running"


def _log_end(task: asyncio.Task[None]) -> None:
    """Say why the reconciler ended, if not on request: by type, because a message may quote what it worked on."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        causes = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
        kinds = ", ".join(type(cause).__name__ for cause in causes)
        logger.error("The reconciler ended (%s); the liveness endpoint asks for a restart.", kinds)


def build_registry(operator: Operator) -> kopf.OperatorRegistry:
    """Kopf's handlers. They only pass on what they see: no handler here makes Kopf write into a resource."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        if (connection := kopf.login_with_service_account(**kwargs)) is not None:
            # By the address that the kubelet gives every pod: Kopf's own choice needs the cluster's DNS to work.
            return dataclasses.replace(connection, server=in_cluster_server(os.environ))
        return kopf.login_with_kubeconfig(**kwargs)

    @kopf.on.startup(registry=registry)
    async def start(**_: Any) -> None:
        quieten_libraries()
        await operator.start()

    @kopf.on.cleanup(registry=registry)
    async def stop(**_: Any) -> None:
        await operator.stop()

    @kopf.on.probe(registry=registry, id="reconciler")
    async def check(**_: Any) -> str:
        return operator.check()

    @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=registry)
    async def see_analysis(event: kopf.RawEvent, **_: Any) -> None:
        if operator.reconciler is not None:
            operator.reconciler.see_analysis(event["object"], is_deleted=event["type"] == "DELETED")

    @kopf.on.event("batch", "v1", "jobs", registry=registry)
    async def see_job(event: kopf.RawEvent, **_: Any) -> None:
        if operator.reconciler is not None:
            operator.reconciler.see_job(event["object"], is_deleted=event["type"] == "DELETED")

    @kopf.on.event("", "v1", "pods", registry=registry)
    async def see_pod(event: kopf.RawEvent, **_: Any) -> None:
        if operator.reconciler is not None:
            operator.reconciler.see_pod(event["object"], is_deleted=event["type"] == "DELETED")

    return registry


def main() -> int:
    """Run the operator until SIGTERM; the process's exit code."""
    try:
        settings = OperatorSettings.from_environment(os.environ)
        configuration = asyncio.run(client_configuration())
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - there are no logs yet
        return 2
    configure_logs(settings)
    kopf.run(
        registry=build_registry(Operator(settings, configuration)),
        settings=kopf_settings(settings),
        standalone=True,
        clusterwide=not settings.namespaces,
        namespaces=settings.namespaces,
        # All addresses: the kubelet probes the pod's own, whatever family it has.
        liveness_endpoint=f"http://0.0.0.0:{settings.health_port}/healthz" if settings.health_port else None,
    )
    return 0
