"""The connection to the API server: one request and its answer, one stream; every failure one of `errors.py`'s.

The Kubernetes client finds the cluster and keeps the credentials fresh. The requests are sent here: its methods check
and copy what they send, which costs several times the request, and its models take two seconds and 30 MB to import.
No retries: a reconciliation that fails is repeated as a whole, from what is true then.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from kubernetes.aio import client
from kubernetes.aio.client import rest
from yarl import URL

from dealguard_api import names
from dealguard_operator import errors
from dealguard_operator.metrics import Metrics
from dealguard_operator.server_clock import ServerClock

Raw = dict[str, Any]

# A line of a watch is one object, at most 1.5 MB in etcd; aiohttp reads lines of twice this size.
_READ_BUFFER_BYTES = 1 << 21
_TOO_MANY_REQUESTS = 429
# Whatever a proxy asks for: lists and watches wait for it, and with them everybody.
_LONGEST_RETRY_AFTER_SECONDS = 60.0
# One timer a request is enough, and that is ours.
_NO_LIMITS = aiohttp.ClientTimeout(total=None, sock_connect=None)


@dataclass(frozen=True)
class Collection:
    """One kind of objects: where the API server has them, what RBAC calls them, and how many are listed at a time.

    A page is half a megabyte of JSON or less, and ten times that once decoded: what is kept of each object lies between
    what is not, so with larger pages the process would need several times the memory, and not give it back.
    """

    api: str  # its path: /api/v1 or /apis/<group>/<version>
    plural: str
    page_size: int = 100

    def path(self, namespace: str | None, name: str = "", subresource: str = "") -> str:
        """The path of the collection in a namespace (None: in all), of an object there, of its subresource."""
        scope = "" if namespace is None else f"/namespaces/{quote(namespace, safe='')}"
        tail = "".join(f"/{quote(part, safe='')}" for part in (name, subresource) if part)
        return f"{self.api}{scope}/{self.plural}{tail}"


ANALYSES = Collection(f"/apis/{names.GROUP}/{names.VERSION}", names.PLURAL)
JOBS = Collection("/apis/batch/v1", "jobs", page_size=50)
PODS = Collection("/api/v1", "pods", page_size=25)
SECRETS = Collection("/api/v1", "secrets")
EVENTS = Collection("/api/v1", "events")
LEASES = Collection("/apis/coordination.k8s.io/v1", "leases")

_METHODS = {"get": "GET", "list": "GET", "watch": "GET", "create": "POST", "update": "PUT", "delete": "DELETE"}


@dataclass(frozen=True)
class Request:
    """What is asked of the API server. `verb` is RBAC's."""

    verb: str
    collection: Collection
    namespace: str | None
    name: str = ""
    subresource: str = ""
    body: Raw | None = None
    query: Mapping[str, str] | None = None

    @property
    def url(self) -> str:
        """Path and query."""
        path = self.collection.path(self.namespace, self.name, self.subresource)
        return f"{path}?{urlencode(self.query)}" if self.query else path


class Connection:
    """Requests to the API server, over connections that are kept.

    Args:
        configuration: how to reach it, as the Kubernetes client loads it.
        metrics: where the requests are counted.
        clock: is told when the API server answered, by its own clock.
        trace_configs: of aiohttp, which look at each request.
    """

    def __init__(
        self,
        configuration: client.Configuration,
        *,
        metrics: Metrics | None = None,
        clock: ServerClock | None = None,
        trace_configs: list[aiohttp.TraceConfig] | None = None,
    ) -> None:
        self._configuration = configuration
        self._metrics = metrics
        self._clock = clock or ServerClock()
        self._trace_configs = trace_configs
        self._session: aiohttp.ClientSession | None = None  # from the first request on

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def send(self, request: Request, *, timeout_seconds: float) -> Raw:
        """Make one request; its answer's body.

        Raises:
            errors.ApiError: the API server does not do what is asked.
        """
        began_at = time.monotonic()
        status: int | None = None
        try:
            async with asyncio.timeout(timeout_seconds):
                async with await self._ask(request, _NO_LIMITS) as response:
                    status, headers = response.status, response.headers
                    came_at = self._clock.own()  # now: a long answer is read for seconds
                    content = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            words = str(error) or f"no answer within {timeout_seconds:.0f} s"
            raise errors.UnavailableError(f"{type(error).__name__}: {words}") from error
        finally:
            if self._metrics is not None:
                resource = "/".join(filter(None, (request.collection.plural, request.subresource)))
                self._metrics.api_answered(request.verb, resource, status, time.monotonic() - began_at)
        answer = _object_in(content)
        # A balancer's page in its place tells the balancer's time.
        if answer and (status < 300 or answer.get("kind") == "Status"):
            self._clock.answered(headers.get("Date"), came_at)
        if status >= 300:
            raise error_from(status, answer, headers)
        if not answer:
            raise errors.UnavailableError(f"HTTP {status} without an object: what answers is no API server")
        return answer

    @asynccontextmanager
    async def stream(
        self, request: Request, *, connect_seconds: float, inactivity_seconds: float
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """Make one request whose answer comes in lines, and goes on.

        Raises:
            errors.ApiError: the API server refuses it, or the connection broke.
        """
        limits = aiohttp.ClientTimeout(total=None, sock_connect=connect_seconds, sock_read=inactivity_seconds)
        try:
            async with await self._ask(request, limits) as response:
                if response.status >= 300:
                    raise error_from(response.status, _object_in(await response.read()), response.headers)
                yield response.content
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise errors.UnavailableError(f"{type(error).__name__}: {error}") from error

    async def _ask(self, request: Request, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        configuration = self._configuration
        # Compressed lists save a little of a fast network and cost both sides as much as the JSON in them.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if (token := await configuration.get_api_key_with_prefix("BearerToken", "authorization")) is not None:
            headers["Authorization"] = token  # a new one if the old one's time has come
        content = None
        if request.body is not None:
            # Not orjson: it refuses half a surrogate pair, which a hostile document may bring in.
            content = json.dumps(request.body, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        return await self._connected().request(
            _METHODS[request.verb],
            URL(configuration.host + request.url, encoded=True),
            data=content,
            headers=headers,
            timeout=limits,
            proxy=configuration.proxy,
            proxy_headers=configuration.proxy_headers,
            server_hostname=configuration.tls_server_name,
        )

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._configuration.connection_pool_maxsize,
                    ssl=rest.RESTClientObject(self._configuration).ssl_context,
                ),
                read_bufsize=_READ_BUFFER_BYTES,
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=self._trace_configs,
                # Else each request looks for ~/.netrc and a proxy in the environment, both in a thread. A kubeconfig's
                # proxy-url holds.
                trust_env=False,
            )
        return self._session


def _object_in(content: bytes) -> Raw:
    try:
        answer = orjson.loads(content) if content else {}
    except ValueError:  # a proxy's page, say
        return {}
    return answer if isinstance(answer, dict) else {}


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
    is_starting = status == 403 and "not yet ready to handle request" in message  # its admission plugins still read
    # 410: a list took longer than its page tokens live.
    if lacks_rights or is_starting or status in (408, 410, _TOO_MANY_REQUESTS) or status >= 500:
        return errors.UnavailableError(message, status=status, retry_after_seconds=_retry_after(headers))
    # Of a quota that was just created it is not known yet what is used.
    if status == 403 and ("exceeded quota" in message or "status unknown for quota" in message):
        return errors.QuotaExceededError(message, status=status)
    return errors.RejectedError(message, status=status)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After", "")
    return min(float(value), _LONGEST_RETRY_AFTER_SECONDS) if value.isdecimal() else None
