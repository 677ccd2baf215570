"""A proxy before the real API server: it records what is asked, and refuses what a test tells it to."""

import asyncio
import base64
import contextlib
import json
import ssl
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
import yaml
from aiohttp import web


@dataclass(frozen=True)
class Request:
    """One request, as the API server was asked."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes = b""
    # Whose request it is: `Authorization` and `Impersonate-*`, as they came.
    credentials: tuple[tuple[str, str], ...] = ()

    @property
    def verb(self) -> tuple[str, str, str]:
        """API group, resource (with its subresource) and verb, as RBAC names them; empty strings for discovery."""
        parts = self.path.strip("/").split("/")
        group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1] if len(parts) > 1 else "", parts[3:])
        if rest[:1] == ["namespaces"] and len(rest) > 2:
            rest = rest[2:]
        if not rest:
            return "", "", ""
        resource = "/".join([rest[0], *rest[2:3]])
        names_one = len(rest) > 1
        verb = {
            "GET": "get" if names_one else "watch" if self.query.get("watch") == "true" else "list",
            "POST": "create",
            "PUT": "update",
            "PATCH": "patch",
            "DELETE": "delete",
        }[self.method]
        return group, resource, verb


# Status and body to answer with, and headers; None lets the request pass.
Refusal = tuple[int, dict[str, str]]
# Instead of an answer: the connection breaks.
CUT: Refusal = (0, {})
Fault = Callable[[Request], Refusal | None]
# Called once the API server has answered with this status, before the asker hears of it.
Answered = Callable[[Request, int], None]
# What to make of an answer's bytes on their way to the asker; None passes them on as they come.
Relay = Callable[[AsyncIterator[bytes]], AsyncIterator[bytes]]


class ApiProxy:
    """Serves plain HTTP on this machine and forwards to the API server of a kubeconfig. A context manager.

    Args:
        kubeconfig: whose API server, and whose account the requests are made with.
        as_sent: to make them with the credentials that they came with instead.
    """

    def __init__(self, kubeconfig: Path, *, as_sent: bool = False) -> None:
        document = yaml.safe_load(kubeconfig.read_text())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        self._server = cluster["server"]
        self._as_sent = as_sent
        self._tls = tls_of(cluster, {} if as_sent else user)
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve)
        self._stopped = asyncio.Event()
        self.requests: list[Request] = []
        self.fault: Fault = lambda request: None
        self.answered: Answered = lambda request, status: None
        self.relay: Callable[[Request], Relay | None] = lambda request: None
        self.port = 0

    def __enter__(self) -> "ApiProxy":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(10)

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig for this proxy to `path`."""
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "proxy",
            "clusters": [{"name": "proxy", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{"name": "proxy", "user": {"token": "unused"}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
        }
        path.write_text(yaml.safe_dump(document))
        return path

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:  # which ends what still waits
            runner.run(self._run())

    async def _run(self) -> None:
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
        async with aiohttp.ClientSession(self._server, connector=connector) as session:
            application = web.Application(client_max_size=10**7)

            async def forward(request: web.Request) -> web.StreamResponse:
                return await self._forward(request, session)

            application.router.add_route("*", "/{path:.*}", forward)
            runner = web.AppRunner(application, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.port = runner.addresses[0][1]
            self._ready.set()
            await self._stopped.wait()
            await runner.cleanup()
        # Connections over TLS end a little after their session does. What the loop leaves behind would be complained of
        # in whatever test happens to run when it is collected.
        await asyncio.sleep(0.25)

    async def _forward(self, incoming: web.Request, session: aiohttp.ClientSession) -> web.StreamResponse:
        try:
            return await self._answer(incoming, session)
        except aiohttp.ClientConnectorError:
            return _cut(incoming)  # nobody is there: as it would be without a proxy

    async def _answer(self, incoming: web.Request, session: aiohttp.ClientSession) -> web.StreamResponse:
        asked = await incoming.read()
        sent = tuple((name, value) for name, value in incoming.headers.items() if _is_credential(name))
        request = Request(incoming.method, incoming.path, dict(incoming.query), asked, sent)
        self.requests.append(request)
        refusal = self.fault(request)
        if refusal == CUT:
            return _cut(incoming)
        if refusal is not None:
            status, headers = refusal
            body: dict[str, Any] = {"kind": "Status", "status": "Failure", "code": status, "message": "by the test"}
            return web.Response(status=status, headers=headers, text=json.dumps(body), content_type="application/json")
        kept = [(key, value) for key, value in incoming.headers.items() if key in ("Content-Type", "Accept")]
        kept += sent if self._as_sent else ()
        timeout = aiohttp.ClientTimeout(total=None)
        async with session.request(
            incoming.method, incoming.rel_url, headers=kept, data=asked or None, timeout=timeout
        ) as answer:
            self.answered(request, answer.status)
            response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
            relay = self.relay(request)
            chunks = answer.content.iter_any()
            with contextlib.suppress(ConnectionResetError):  # the asker has gone
                await response.prepare(incoming)
                async for chunk in relay(chunks) if relay else chunks:
                    await response.write(chunk)
                await response.write_eof()
            return response


def _cut(incoming: web.Request) -> web.StreamResponse:
    """Break the connection; the answer reaches nobody."""
    if incoming.transport is not None:
        incoming.transport.abort()
    return web.Response(status=502)


def _is_credential(header: str) -> bool:
    return header.lower() == "authorization" or header.lower().startswith("impersonate-")


def tls_of(cluster: dict[str, str], user: dict[str, str]) -> ssl.SSLContext:
    """The kubeconfig's trust and, if there is one, client certificate; the standard library wants that as a file."""
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    if "client-certificate-data" not in user:
        return context
    with tempfile.NamedTemporaryFile("wb", suffix=".pem") as file:
        file.write(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
        file.flush()
        context.load_cert_chain(file.name)
    return context
