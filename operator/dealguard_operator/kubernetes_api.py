"""The API server, as the operator uses it: raw JSON in and out, every failure one of `errors.py`'s.

Raw, because deserialising into the client's models costs more than the request. No retries here: a reconciliation that
fails is repeated as a whole, from what is true then.
"""

import asyncio
import copy
import json
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import client, config

from dealguard_api import names
from dealguard_operator import errors
from dealguard_operator.lease import Alone, Leadership
from dealguard_operator.metrics import OTHER, Metrics

Raw = dict[str, Any]

# A healthy API server answers in milliseconds, and lists in seconds; a request without an answer is given up.
REQUEST_TIMEOUT_SECONDS = 15.0
# Objects per page of a list: small enough that decoding one does not hold up the event loop for long.
_PAGE_SIZE = 500
_SELECTOR = f"{names.LABEL_MANAGED_BY}={names.MANAGED_BY}"
_SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")

_TOO_MANY_REQUESTS = 429


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
    """

    def __init__(
        self,
        configuration: client.Configuration,
        *,
        request_timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
        leadership: Leadership | None = None,
        analysis_selector: str = "",
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics
        self._leadership = leadership or Alone()
        self._analysis_selector = analysis_selector
        guarded = copy.copy(configuration)
        guarded.trace_configs = [*(configuration.trace_configs or []), self._guard()]
        # Else each request looks for ~/.netrc and a proxy in the environment, both in a thread: half its CPU time, and
        # one more reason to wait. Kopf's watches do not either; a kubeconfig's proxy-url holds for both.
        guarded.client_session_kwargs = {**(configuration.client_session_kwargs or {}), "trust_env": False}
        self._client = client.ApiClient(configuration=guarded)
        self._custom = client.CustomObjectsApi(self._client)
        self._batch = client.BatchV1Api(self._client)
        self._core = client.CoreV1Api(self._client)
        self._timeout = request_timeout_seconds

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()  # type: ignore[no-untyped-call]

    async def list_analyses(self, namespace: str | None) -> AsyncIterator[Raw]:
        """All analyses of a namespace; None: of all namespaces."""
        scope = (names.GROUP, names.VERSION) if namespace is None else (names.GROUP, names.VERSION, namespace)
        method = (
            self._custom.list_custom_object_for_all_namespaces_without_preload_content
            if namespace is None
            else self._custom.list_namespaced_custom_object_without_preload_content
        )
        selector = {"label_selector": self._analysis_selector} if self._analysis_selector else {}
        async for item in self._pages(method, *scope, names.PLURAL, **selector):
            yield item

    async def list_jobs(self, namespace: str | None) -> AsyncIterator[Raw]:
        """The operator's Jobs in a namespace; None: in all namespaces."""
        if namespace is None:
            pages = self._pages(
                self._batch.list_job_for_all_namespaces_without_preload_content, label_selector=_SELECTOR
            )
        else:
            pages = self._pages(
                self._batch.list_namespaced_job_without_preload_content, namespace, label_selector=_SELECTOR
            )
        async for item in pages:
            yield item

    async def list_pods(self, namespace: str | None, analysis_uid: str | None = None) -> AsyncIterator[Raw]:
        """The operator's pods in a namespace (None: in all), or the pods of one analysis, by its uid's label alone."""
        selector = _SELECTOR if analysis_uid is None else f"{names.LABEL_UID}={analysis_uid}"
        if namespace is None:
            pages = self._pages(self._core.list_pod_for_all_namespaces_without_preload_content, label_selector=selector)
        else:
            pages = self._pages(
                self._core.list_namespaced_pod_without_preload_content, namespace, label_selector=selector
            )
        async for item in pages:
            yield item

    async def get_analysis(self, namespace: str, name: str) -> Raw:
        """One analysis."""
        return await self._call(
            self._custom.get_namespaced_custom_object_without_preload_content,
            names.GROUP,
            names.VERSION,
            namespace,
            names.PLURAL,
            name,
        )

    async def get_job(self, namespace: str, name: str) -> Raw:
        """One Job."""
        return await self._call(self._batch.read_namespaced_job_without_preload_content, name, namespace)

    async def replace_status(self, manifest: Raw) -> Raw:
        """Write the status of an analysis; `metadata.uid` and `resourceVersion` in `manifest` fence the write.

        Raises:
            errors.ConflictError: it was written since it was read, or it is another resource of the same name.
        """
        metadata = manifest["metadata"]
        return await self._write(
            self._custom.replace_namespaced_custom_object_status_without_preload_content,
            names.GROUP,
            names.VERSION,
            metadata["namespace"],
            names.PLURAL,
            metadata["name"],
            manifest,
        )

    async def delete_analysis(self, namespace: str, name: str, *, uid: str, resource_version: str) -> Raw:
        """Delete exactly this version of this analysis; the answer is the object if it is not gone at once.

        Raises:
            errors.ConflictError: it is another one by now.
        """
        return await self._write(
            self._custom.delete_namespaced_custom_object_without_preload_content,
            names.GROUP,
            names.VERSION,
            namespace,
            names.PLURAL,
            name,
            body={
                "preconditions": {"uid": uid, "resourceVersion": resource_version},
                "propagationPolicy": "Background",
            },
        )

    async def create_job(self, manifest: Raw) -> Raw:
        """Create a Job."""
        return await self._write(
            self._batch.create_namespaced_job_without_preload_content, manifest["metadata"]["namespace"], manifest
        )

    async def delete_job(self, namespace: str, name: str, *, uid: str) -> Raw:
        """Delete a Job after its pods: while it is there, something of it may still run.

        The answer is the object if it is not gone at once.
        """
        return await self._write(
            self._batch.delete_namespaced_job_without_preload_content,
            name,
            namespace,
            body={"preconditions": {"uid": uid}, "propagationPolicy": "Foreground"},
        )

    async def create_secret(self, manifest: Raw) -> None:
        """Create a Secret."""
        await self._write(
            self._core.create_namespaced_secret_without_preload_content, manifest["metadata"]["namespace"], manifest
        )

    async def create_event(self, manifest: Raw) -> None:
        """Create an Event."""
        await self._write(
            self._core.create_namespaced_event_without_preload_content, manifest["metadata"]["namespace"], manifest
        )

    async def _pages(self, method: Callable[..., Awaitable[Any]], *args: str, **kwargs: str) -> AsyncIterator[Raw]:
        token: str | None = None
        while True:
            page = await self._call(method, *args, limit=_PAGE_SIZE, **kwargs, _continue=token)
            for item in page.get("items", []):
                yield item
            token = page.get("metadata", {}).get("continue")
            if not token:
                return

    async def _call(self, method: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Raw:
        return await send(method, *args, timeout_seconds=self._timeout, metrics=self._metrics, **kwargs)

    async def _write(self, method: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Raw:
        """A request that changes something: it is cut off when the right to write ends, and not sent after it."""
        seconds_left = self._leadership.seconds_left()
        if seconds_left <= 0:
            raise errors.NotLeadingError
        timeout_seconds = min(self._timeout, seconds_left)
        return await send(method, *args, timeout_seconds=timeout_seconds, metrics=self._metrics, **kwargs)

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


async def send(
    method: Callable[..., Awaitable[Any]],
    *args: Any,
    timeout_seconds: float,
    metrics: Metrics | None = None,
    **kwargs: Any,
) -> Raw:
    """Make one request; its answer's body.

    Raises:
        errors.ApiError: the API server does not do what is asked.
    """
    began_at = time.monotonic()
    status: int | None = None
    try:
        async with asyncio.timeout(timeout_seconds):
            response = await method(*args, **kwargs, _request_timeout=timeout_seconds)
            status = response.status
            body = await response.read()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        words = str(error) or f"no answer within {timeout_seconds:.0f} s"
        raise errors.UnavailableError(f"{type(error).__name__}: {words}") from error
    finally:
        if metrics is not None:
            metrics.api_answered(*_verb_and_resource(method), status, time.monotonic() - began_at)
    try:
        answer = json.loads(body) if body else {}
    except ValueError:
        answer = {}
    answer = answer if isinstance(answer, dict) else {}
    if response.status >= 300:
        raise error_from(response.status, answer, response.headers)
    return answer


# How the client's methods are called; what each does, in RBAC's words.
_METHOD = re.compile(r"(?P<verb>[a-z]+)_(namespaced_)?(?P<resource>[a-z_]+?)(_for_all_namespaces)?_without_preload.*")
_VERBS = {"read": "get", "get": "get", "list": "list", "create": "create", "replace": "update", "delete": "delete"}
_RESOURCES = {
    "custom_object": names.PLURAL,
    "custom_object_status": f"{names.PLURAL}/status",
    "event": "events",
    "job": "jobs",
    "lease": "leases",
    "pod": "pods",
    "secret": "secrets",
}


def _verb_and_resource(method: Callable[..., Any]) -> tuple[str, str]:
    match = _METHOD.fullmatch(method.__name__)
    verb, resource = (match["verb"], match["resource"]) if match else ("", "")
    return _VERBS.get(verb, OTHER), _RESOURCES.get(resource, OTHER)


def error_from(status: int, answer: Mapping[str, Any], headers: Mapping[str, str]) -> errors.ApiError:
    """The error that an API server's refusal stands for.

    Args:
        status: the HTTP status, 300 or more.
        answer: the `metav1.Status` that came with it; empty if none did.
        headers: the response's headers.
    """
    message = str(answer.get("message") or f"HTTP {status}")
    reason = answer.get("reason")
    details = answer.get("details")
    causes = (details.get("causes") or []) if isinstance(details, dict) else []
    if status == 404 or any(cause.get("reason") == "NamespaceTerminating" for cause in causes):
        return errors.NotFoundError(message, status=status)
    if status == 409:
        kind = errors.AlreadyExistsError if reason == "AlreadyExists" else errors.ConflictError
        return kind(message, status=status)
    # Our own missing rights are the installation's to repair; a refusal by quota or policy has another wording.
    lacks_rights = status == 401 or (status == 403 and ("cannot" in message and " User " in f" {message} "))
    # 410: a list took longer than its page tokens live.
    if lacks_rights or status in (408, 410, _TOO_MANY_REQUESTS) or status >= 500:
        return errors.UnavailableError(message, status=status, retry_after_seconds=_retry_after(headers))
    if status == 403 and "exceeded quota" in message:
        return errors.QuotaExceededError(message, status=status)
    return errors.RejectedError(message, status=status)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
