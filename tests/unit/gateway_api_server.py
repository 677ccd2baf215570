"""A small API server for the gateway, over real HTTP: it keeps analyses, and can leave requests without an answer."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from dealguard_api import names
from dealguard_gateway.kubernetes.api import Connection, KubernetesApi
from dealguard_gateway.kubernetes.errors import ApiError
from dealguard_gateway.settings import GatewaySettings
from dealguard_gateway.storage.documents import DocumentStorage
from tests.object_storage import ObjectStorage
from tests.unit.gateway_fakes import CREATED, FakeGateway, FakeKubernetes, fake_gateway

# After which the gateway gives up a request.
_TIMEOUT_SECONDS = 1.0
# How much faster the time passes after which the gateway looks whether an analysis has come.
_FASTER = 100


class ApiServer:
    """Answers as the API server does.

    Attributes:
        known: users, their rights, and the analyses by path.
        asked: how often each method came for analyses; dry runs do not count.
        is_silent: of a method, whether its requests about analyses are not answered.
        works_first: whether those are carried out at once; else when `speak` is called.
        deleted: called when an analysis has been deleted.
    """

    def __init__(self) -> None:
        self.known = FakeKubernetes()
        self.asked: Counter[str] = Counter()
        self.is_silent: Callable[[str], bool] = lambda _: False
        self.works_first = False
        self.deleted: Callable[[], None] = lambda: None
        self._unanswered: list[tuple[str, str, dict[str, Any]]] = []
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._server = TestServer(application)

    def speak(self) -> None:
        """Carry out what was not answered, and answer from now on."""
        self.is_silent = lambda _: False
        for method, path, body in self._unanswered:
            with suppress(ApiError):
                self._done(method, path, body)

    async def start(self) -> Connection:
        """Listen; how to reach it."""
        await self._server.start_server()
        return Connection(str(self._server.make_url("")).rstrip("/"), _Own())

    async def end(self) -> None:
        """Answer no more."""
        await self._server.close()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else {}
        try:
            if f"/{names.PLURAL}" not in request.path:
                return web.json_response(await self.known.request(request.method, request.path, body=body))
            if "dryRun" in body:
                return web.json_response(self._found(request.path))
            self.asked[request.method] += 1
            if not self.is_silent(request.method):
                return web.json_response(self._done(request.method, request.path, body))
            if self.works_first:
                self._done(request.method, request.path, body)
            else:
                self._unanswered.append((request.method, request.path, body))
            await asyncio.Event().wait()  # until the client hangs up
            raise AssertionError("nobody sets it")
        except ApiError as error:
            return web.json_response({"reason": error.reason, "message": error.message}, status=error.status)

    def _done(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        objects = self.known.objects
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            if path in objects:
                raise ApiError(409, "AlreadyExists", "already exists")
            metadata = {"uid": uuid.uuid4().hex, "resourceVersion": "1", "creationTimestamp": CREATED}
            objects[path] = {**body, "metadata": {**body["metadata"], **metadata}}
        found = self._found(path)
        if method == "DELETE":
            del objects[path]
            self.deleted()
        return found

    def _found(self, path: str) -> dict[str, Any]:
        if path not in self.known.objects:
            raise ApiError(404, "NotFound", "not found")
        return self.known.objects[path]


class _Own:
    """The gateway's own credentials."""

    async def headers(self) -> Mapping[str, str]:
        """None are asked for."""
        return {}


class _FastStorage(DocumentStorage):
    """The storage with another clock for what nobody waits for."""

    async def pause(self, seconds: float) -> bool:
        """See `DocumentStorage.pause`."""
        return await super().pause(seconds / _FASTER)


@asynccontextmanager
async def gateway_on(server: ApiServer, storage: ObjectStorage) -> AsyncIterator[FakeGateway]:
    """A gateway that asks `server` over HTTP and stores documents in `storage`, until the block ends."""
    documents = _FastStorage(GatewaySettings.from_environment(storage.environment))
    try:
        async with KubernetesApi(await server.start(), request_timeout_seconds=_TIMEOUT_SECONDS) as api:
            try:
                yield fake_gateway(api=api, documents=documents)
            finally:
                await documents.close()
    finally:
        await server.end()
