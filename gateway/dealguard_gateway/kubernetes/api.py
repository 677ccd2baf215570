"""The API server, as the gateway uses it: raw JSON in and out, with the caller's credentials or its own.

Raw, because deserialising into a client's models costs more than the request. No retries here: who asks knows whether
the same question still makes sense.
"""

import asyncio
import json
import os
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from multidict import CIMultiDict

from dealguard_api import names
from dealguard_gateway.kubernetes.errors import ApiError, error_from
from dealguard_gateway.settings import SettingsError

RawObject = dict[str, Any]
Query = Mapping[str, str]

ANALYSES_PATH = f"/apis/{names.GROUP}/{names.VERSION}"

# A healthy API server answers in milliseconds; somebody waits at a browser for each of these answers.
REQUEST_TIMEOUT_SECONDS = 10.0
_CONNECT_TIMEOUT_SECONDS = 5.0
# Requests at the same time; more wait for their turn, so that a rush of callers cannot overrun the API server.
_MAX_CONNECTIONS = 100

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
# The kubelet renews the token's file; client-go looks as often.
_TOKEN_SECONDS = 60.0


class OwnCredentials(Protocol):
    """The headers that make a request the gateway's own."""

    async def headers(self) -> Mapping[str, str]:
        """What to send now: tokens are renewed."""
        ...


@dataclass(frozen=True)
class Connection:
    """How to reach the API server.

    Args:
        server: its URL, without a path at the end.
        own_credentials: the gateway's own.
        tls: what to trust; None for plain HTTP.
        own_tls: the same with the gateway's client certificate, where it has one. Requests of others never use it: the
            API server would take a certificate's word before a token's.
    """

    server: str
    own_credentials: OwnCredentials
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    own_tls: ssl.SSLContext | None = field(default=None, repr=False)


class TokenFile:
    """A token in a file that is renewed from outside."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._headers: Mapping[str, str] = {}
        self._read_at = -_TOKEN_SECONDS

    async def headers(self) -> Mapping[str, str]:
        """The token, at most a minute old."""
        if time.monotonic() - self._read_at >= _TOKEN_SECONDS:
            # A few hundred bytes in memory, once a minute.
            self._headers = {"Authorization": f"Bearer {self._path.read_text().strip()}"}
            self._read_at = time.monotonic()
        return self._headers


class _KubeconfigCredentials:
    """What a kubeconfig says, with the client library's own renewal of tokens."""

    def __init__(self, configuration: Any) -> None:
        self._configuration = configuration

    async def headers(self) -> Mapping[str, str]:
        hook = self._configuration.refresh_api_key_hook
        if hook is not None:
            await hook(self._configuration)
        token = await self._configuration.get_api_key_with_prefix("BearerToken")
        return {"Authorization": token} if token else {}


async def find_connection(environment: Mapping[str, str] = os.environ) -> Connection:
    """The connection of the pod's service account, else of the kubeconfig.

    Raises:
        SettingsError: there is neither.
    """
    token = _SERVICE_ACCOUNT / "token"
    if token.exists():
        host, port = environment["KUBERNETES_SERVICE_HOST"], environment["KUBERNETES_SERVICE_PORT"]
        return Connection(
            f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
            TokenFile(token),
            ssl.create_default_context(cafile=str(_SERVICE_ACCOUNT / "ca.crt")),
        )
    return await _from_kubeconfig(environment.get("KUBECONFIG"))


async def _from_kubeconfig(path: str | None) -> Connection:
    # Here, because it costs a second and 60 MB, which a pod never needs.
    from kubernetes.aio import client, config  # noqa: PLC0415

    configuration = client.Configuration()
    try:
        await config.load_kube_config(config_file=path, client_configuration=configuration)  # type: ignore[no-untyped-call]
    except config.ConfigException as error:
        raise SettingsError(
            "The gateway cannot start: it finds no cluster. Run it in a pod with a service account, or set KUBECONFIG "
            "to a kubeconfig with a current context."
        ) from error
    credentials = _KubeconfigCredentials(configuration)
    if not configuration.host.startswith("https:"):
        return Connection(configuration.host, credentials)
    own: ssl.SSLContext | None = None
    if configuration.cert_file:
        own = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
        own.load_cert_chain(configuration.cert_file, configuration.key_file)
    return Connection(
        configuration.host, credentials, ssl.create_default_context(cafile=configuration.ssl_ca_cert), own
    )


class KubernetesApi:
    """Requests to the API server. An async context manager, for its connections.

    Args:
        connection: how to reach it.
        request_timeout_seconds: after which a request without an answer is given up.
    """

    def __init__(self, connection: Connection, *, request_timeout_seconds: float = REQUEST_TIMEOUT_SECONDS) -> None:
        self._connection = connection
        self._timeout_seconds = request_timeout_seconds
        self._sessions: dict[tuple[bool, bool], aiohttp.ClientSession] = {}

    async def __aenter__(self) -> "KubernetesApi":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def request(
        self,
        method: str,
        path: str,
        *,
        credentials: Mapping[str, str] | None,
        query: Query | None = None,
        body: object = None,
        content_type: str = "application/json",
        timeout_seconds: float | None = None,
    ) -> RawObject:
        """Make one request; the object that it answers.

        Args:
            method: of HTTP.
            path: without the query, as it goes over the wire; names in it must be checked or quoted.
            credentials: headers of whose request it is, as `Caller` has them; None: the gateway's own.
            query: parameters, not yet encoded.
            body: to be sent as JSON; None: nothing.
            content_type: of the body: a patch has its own.
            timeout_seconds: another one than usual.

        Raises:
            ApiError: the API server does not do what is asked, or does not answer (`status` 0).
        """
        seconds = timeout_seconds or self._timeout_seconds
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        more = {"Accept": "application/json", **({"Content-Type": content_type} if data else {})}
        try:
            async with (
                asyncio.timeout(seconds),
                self._session(credentials, streams=False).request(
                    method,
                    path,
                    params=query,
                    data=data,
                    headers=await self._headers(credentials, more),
                    allow_redirects=False,
                ) as answer,
            ):
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            words = type(error).__name__ if str(error) else f"no answer within {seconds:.0f} s"
            raise ApiError(0, "", words) from error
        parsed = _parsed(content)
        if answer.status >= 300:
            raise error_from(answer.status, parsed, answer.headers)
        return parsed

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        credentials: Mapping[str, str] | None,
        query: Query | list[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        read_timeout_seconds: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """GET `path` and leave the answer's body to be read as it comes; refusals too are answers here.

        Args:
            path: without the query, as it goes over the wire.
            credentials: headers of whose request it is; None: the gateway's own.
            query: parameters, not yet encoded.
            headers: more of them.
            read_timeout_seconds: the longest silence; None: for ever.

        Raises:
            ApiError: no answer. What breaks later, while it is read, comes as `aiohttp.ClientError` or `TimeoutError`.
        """
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_TIMEOUT_SECONDS, sock_read=read_timeout_seconds
        )
        try:
            answer = await self._session(credentials, streams=True).get(
                path,
                params=query,
                headers=await self._headers(credentials, headers or {}),
                allow_redirects=False,
                timeout=timeout,
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(0, "", type(error).__name__) from error
        try:
            yield answer
        finally:
            answer.close()

    async def _headers(self, credentials: Mapping[str, str] | None, more: Mapping[str, str]) -> CIMultiDict[str]:
        headers = CIMultiDict(more)
        if _is_own(credentials):
            headers.update(await self._connection.own_credentials.headers())
        headers.extend(credentials or {})  # there may be several `Impersonate-Group`
        return headers

    def _session(self, credentials: Mapping[str, str] | None, *, streams: bool) -> aiohttp.ClientSession:
        is_own = _is_own(credentials) and self._connection.own_tls is not None
        # Streams have connections of their own: a hundred watches must not keep a review waiting.
        session = self._sessions.get((is_own, streams))
        if session is None:
            tls = self._connection.own_tls if is_own else self._connection.tls
            session = aiohttp.ClientSession(
                self._connection.server,
                connector=aiohttp.TCPConnector(ssl=tls or True, limit=0 if streams else _MAX_CONNECTIONS),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_SECONDS),
                # A cookie or a proxy of the environment would send credentials to where they do not belong.
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                read_bufsize=2**18,
                headers={"User-Agent": "dealguard-gateway", "Accept-Encoding": "identity"},
            )
            self._sessions[is_own, streams] = session
        return session


def _is_own(credentials: Mapping[str, str] | None) -> bool:
    """Whether the gateway's own account makes the request, if in somebody's name: `access.impersonation`."""
    return credentials is None or "Impersonate-User" in credentials


def _parsed(content: bytes) -> RawObject:
    try:
        parsed = json.loads(content) if content else {}
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def analyses_path(namespace: str | None, name: str = "") -> str:
    """The path of one analysis, of those of a namespace, or (None) of all. Names are checked by the caller."""
    scope = "" if namespace is None else f"/namespaces/{namespace}"
    return f"{ANALYSES_PATH}{scope}/{names.PLURAL}{f'/{name}' if name else ''}"
