"""The API server, as the operator uses it: raw JSON in and out, every failure one of `errors.py`'s.

No retries here: a reconciliation that fails is repeated as a whole, from what is true then.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
from kubernetes.aio import client, config

from dealguard_api import names
from dealguard_api.resource import Phase
from dealguard_operator import errors
from dealguard_operator.connection import (
    ANALYSES,
    EVENTS,
    JOBS,
    PODS,
    SECRETS,
    Collection,
    Connection,
    Raw,
    Request,
)
from dealguard_operator.lease import Alone, Leadership
from dealguard_operator.metrics import Metrics
from dealguard_operator.server_clock import ServerClock

# A healthy API server answers in milliseconds, and lists in seconds; a request without an answer is given up.
REQUEST_TIMEOUT_SECONDS = 15.0
CONNECT_SECONDS = 5.0
# What is in no terminal phase, as a field selector.
UNFINISHED = ",".join(f"status.phase!={phase}" for phase in Phase if phase.is_terminal)
_SELECTOR = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"
_SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")

# A watch is renewed before load balancers tend to cut idle connections (5 min).
WATCH_SECONDS = 240
# A connection that went dead without a word shows in missing bookmarks, which come every 60 s.
WATCH_INACTIVITY_SECONDS = 70


async def client_configuration() -> client.Configuration:
    """The connection of the pod's service account, else of the kubeconfig.

    Raises:
        errors.SettingsError: there is neither.
    """
    configuration = client.Configuration()
    if _SERVICE_ACCOUNT_TOKEN.exists():  # noqa: ASYNC240 - once, at start
        config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    else:
        try:
            # The client reads the variable when it is imported; this is what it is now.
            await config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=os.environ.get("KUBECONFIG"), client_configuration=configuration
            )
        except config.ConfigException as error:
            raise errors.SettingsError(
                "The operator cannot start: it finds no cluster. Run it in a pod with a service account, or set "
                "KUBECONFIG to a kubeconfig with a current context."
            ) from error
    return configuration


def in_cluster_server(environment: Mapping[str, str]) -> str:
    """The API server's URL as the kubelet tells it to every pod."""
    host = environment["KUBERNETES_SERVICE_HOST"]
    port = environment["KUBERNETES_SERVICE_PORT"]
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


class Listing:
    """A list, read page by page.

    Once it was read, `resource_version` says what it shows: a watch that goes on from there misses nothing. Reading
    raises an `errors.ApiError` if it is not complete.
    """

    def __init__(self, read_page: Callable[[Mapping[str, str]], Awaitable[Raw]]) -> None:
        self._read_page = read_page
        self.resource_version = ""

    async def __aiter__(self) -> AsyncIterator[Raw]:
        token = ""
        while True:
            page = _checked_list(await self._read_page({"continue": token} if token else {}))
            metadata = page.get("metadata") or {}
            self.resource_version = metadata.get("resourceVersion") or ""
            for item in page.get("items") or []:
                yield item
            token = metadata.get("continue") or ""
            if not token:
                return


def _checked_list(answer: Raw) -> Raw:
    if "items" not in answer:
        raise errors.UnavailableError("the answer is no list: what answers is no API server")
    return answer


class KubernetesApi:
    """The requests that the operator makes.

    Every method raises an `errors.ApiError` if the API server does not do what is asked. Every write also raises
    `errors.NotLeadingError` if this process may not write.

    Args:
        configuration: how to reach the API server.
        request_timeout_seconds: after which a request without an answer is given up.
        leadership: the right to write.
        analysis_selector: which analyses to list, as a label selector; empty: all.
        metrics: where the requests are counted.
        clock: is told when the API server answered, by its own clock.
    """

    def __init__(
        self,
        configuration: client.Configuration,
        *,
        request_timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
        leadership: Leadership | None = None,
        analysis_selector: str = "",
        metrics: Metrics | None = None,
        clock: ServerClock | None = None,
    ) -> None:
        self._leadership = leadership or Alone()
        self._analysis_selector = analysis_selector
        self._connection = Connection(configuration, metrics=metrics, clock=clock, trace_configs=[self._guard()])
        self._timeout = request_timeout_seconds

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    def list_analyses(self, namespace: str | None) -> Listing:
        """All analyses of a namespace; None: of all namespaces."""
        return self._list(ANALYSES, namespace, self._analysis_selector)

    def list_unfinished_analyses(self, namespace: str | None) -> Listing:
        """Those of them that are in no terminal phase.

        Reading it raises an `errors.RejectedError` where the definition that is installed does not let phases be
        selected.
        """
        return self._list(ANALYSES, namespace, self._analysis_selector, fields=UNFINISHED)

    def list_jobs(self, namespace: str | None) -> Listing:
        """The operator's Jobs in a namespace; None: in all namespaces."""
        return self._list(JOBS, namespace, _SELECTOR)

    def list_pods(self, namespace: str | None, analysis_uid: str | None = None) -> Listing:
        """The operator's pods in a namespace (None: in all), or the pods of one analysis, by its uid's label alone."""
        return self._list(PODS, namespace, _SELECTOR if analysis_uid is None else f"{names.LABEL_UID}={analysis_uid}")

    async def check_lists(self, namespace: str | None) -> None:
        """See whether analyses, Jobs and pods may be listed: one object of each is asked for, whosever it is."""
        for collection in (ANALYSES, JOBS, PODS):
            _checked_list(await self._send(Request("list", collection, namespace, query={"limit": "1"})))

    def watch(
        self, collection: Collection, namespace: str | None, resource_version: str
    ) -> AbstractAsyncContextManager[aiohttp.StreamReader]:
        """What becomes of the operator's objects after a version, one JSON object a line; it ends after some minutes.

        Args:
            collection: Jobs or Pods.
            namespace: where; None: everywhere.
            resource_version: a list's, or of what the watch before said last.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "labelSelector": _SELECTOR,
            "resourceVersion": resource_version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        return self._connection.stream(
            Request("watch", collection, namespace, query=query),
            connect_seconds=CONNECT_SECONDS,
            inactivity_seconds=WATCH_INACTIVITY_SECONDS,
        )

    async def get_analysis(self, namespace: str, name: str) -> Raw:
        """One analysis."""
        return await self._send(Request("get", ANALYSES, namespace, name))

    async def get_job(self, namespace: str, name: str) -> Raw:
        """One Job."""
        return await self._send(Request("get", JOBS, namespace, name))

    async def replace_status(self, manifest: Raw) -> Raw:
        """Write the status of an analysis; `metadata.uid` and `resourceVersion` in `manifest` fence the write.

        Raises:
            errors.ConflictError: it was written since it was read, or it is another resource of the same name.
        """
        metadata = manifest["metadata"]
        return await self._write(
            Request("update", ANALYSES, metadata["namespace"], metadata["name"], "status", body=manifest)
        )

    async def delete_analysis(self, namespace: str, name: str, *, uid: str, resource_version: str) -> Raw:
        """Delete exactly this version of this analysis; the answer is the object if it is not gone at once.

        Raises:
            errors.ConflictError: it is another one by now.
        """
        options = {
            "preconditions": {"uid": uid, "resourceVersion": resource_version},
            "propagationPolicy": "Background",
        }
        return await self._write(Request("delete", ANALYSES, namespace, name, body=options))

    async def create_job(self, manifest: Raw) -> Raw:
        """Create a Job."""
        return await self._create(JOBS, manifest)

    async def delete_job(self, namespace: str, name: str, *, uid: str) -> Raw:
        """Delete a Job after its pods: while it is there, something of it may still run.

        The answer is the object if it is not gone at once.
        """
        options = {"preconditions": {"uid": uid}, "propagationPolicy": "Foreground"}
        return await self._write(Request("delete", JOBS, namespace, name, body=options))

    async def create_secret(self, manifest: Raw) -> None:
        """Create a Secret."""
        await self._create(SECRETS, manifest)

    async def create_event(self, manifest: Raw) -> None:
        """Create an Event."""
        await self._create(EVENTS, manifest)

    def _list(self, collection: Collection, namespace: str | None, selector: str, *, fields: str = "") -> Listing:
        selectors = {"labelSelector": selector, "fieldSelector": fields}
        query = {"limit": str(collection.page_size), **{key: value for key, value in selectors.items() if value}}
        return Listing(lambda page: self._send(Request("list", collection, namespace, query={**query, **page})))

    async def _create(self, collection: Collection, manifest: Raw) -> Raw:
        return await self._write(Request("create", collection, manifest["metadata"]["namespace"], body=manifest))

    async def _send(self, request: Request) -> Raw:
        return await self._connection.send(request, timeout_seconds=self._timeout)

    async def _write(self, request: Request) -> Raw:
        """A request that changes something: it is cut off when the right to write ends, and not sent after it."""
        seconds_left = self._leadership.seconds_left()
        if seconds_left <= 0:
            raise errors.NotLeadingError
        return await self._connection.send(request, timeout_seconds=min(self._timeout, seconds_left))

    def _guard(self) -> aiohttp.TraceConfig:
        """Looks at the right to write once more just before a write goes out.

        Between asking for a write and sending it there may be a wait for a connection, in which a process or its
        machine can be suspended. Raised here, an error sends nothing and closes the connection.
        """

        async def check(_: object, __: object, request: aiohttp.TraceRequestHeadersSentParams) -> None:
            if request.method != "GET" and self._leadership.seconds_left() <= 0:
                raise errors.NotLeadingError

        guard = aiohttp.TraceConfig()
        guard.on_request_headers_sent.append(check)
        return guard
