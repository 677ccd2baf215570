"""`GET /apis/dealguard.io/…`: the resource itself, for frontends that speak Kubernetes; with the caller's own rights.

Nothing but reading, and nothing but this API group: the path is passed on only if it needs no interpretation at all.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import nullcontext
from urllib.parse import parse_qsl

import aiohttp
from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from dealguard_api import names
from dealguard_gateway.access.callers import Caller
from dealguard_gateway.http.streams import Streams
from dealguard_gateway.kubernetes.api import KubernetesApi
from dealguard_gateway.kubernetes.errors import ApiError, problems_of
from dealguard_gateway.problems import MEDIA_TYPE, NotFoundProblem
from dealguard_gateway.routes.answers import problem_responses
from dealguard_gateway.routes.lookup import caller_of, services_of

router = APIRouter(tags=["kubernetes"])

log = logging.getLogger(__name__)

_PATH = re.compile(rf"/apis/{re.escape(names.GROUP)}(/[a-z0-9]([-a-z0-9.]*[a-z0-9])?)*")
_PASSED_HEADERS = ("content-type", "retry-after", "warning", "audit-id")
_READ_TIMEOUT_SECONDS = 15.0
# As event streams: then the client comes again, and the API server asks for its rights again.
_WATCH_SECONDS = 300
_PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
_CONTENT = {"application/json": {"schema": {"type": "object"}}}


@router.get(
    f"/apis/{names.GROUP}/{{path:path}}",
    operation_id="readResource",
    summary="get, list and watch, as the API server answers them",
    description=f"The path and the query are the Kubernetes API's own, under `/apis/{names.GROUP}/{names.VERSION}/`. "
    "The request is made with the caller's credentials, and refusals are the API server's own `Status` objects. A "
    "watch lasts 5 minutes at most.",
    response_class=Response,
    responses={
        200: {"content": _CONTENT, "description": "An object, a list, or the events of a watch."},
        # Of a path under which there is no API, it says so as plain text.
        "4XX": {
            "content": {**_CONTENT, "text/plain": {}, MEDIA_TYPE: {}},
            "description": "The API server's own words, a `Status`; or a problem.",
        },
        **problem_responses(),
    },
)
async def read_resource(request: Request, path: str) -> Response:
    """get, list and watch."""
    caller = await caller_of(request)
    raw_path = plain_path(request.scope["raw_path"])
    query = parse_qsl(request.url.query, keep_blank_values=True)
    is_watch = any(key == "watch" and value.lower() not in ("false", "0") for key, value in query)
    streams: Streams = request.app.state.streams
    if is_watch:
        streams.check(caller)
        query = _bounded(query)
    return _Relay(
        services_of(request).kubernetes,
        raw_path,
        query,
        accept=request.headers.get("accept", "application/json"),
        caller=caller,
        streams=streams if is_watch else None,
    )


def plain_path(raw_path: bytes) -> str:
    """The path as it came, if it needs no interpretation: nothing encoded, no `..`, no empty part.

    Raises:
        NotFoundProblem: it might be read as another path than it seems.
    """
    path = raw_path.decode("latin-1")
    # After the version, `watch` is the API server's older way to ask for one, which `_bounded` knows nothing of.
    if _PATH.fullmatch(path) is None or ".." in path or path.split("/")[4:5] == ["watch"]:
        raise NotFoundProblem(
            "no-such-path",
            f"Only plain paths under /apis/{names.GROUP}/ are answered, with nothing encoded in them. A watch is a "
            "list with ?watch=true.",
        )
    return path


def _bounded(query: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The query of a watch, so that it ends within bounds."""
    asked = [int(value) for key, value in query if key == "timeoutSeconds" and value.isdecimal() and len(value) < 10]
    others = [(key, value) for key, value in query if key != "timeoutSeconds"]
    return [*others, ("timeoutSeconds", str(min([*asked, _WATCH_SECONDS])))]


class _Relay(Response):
    """The API server's answer, passed on as it comes.

    Args:
        kubernetes: the API server.
        path: checked.
        query: to be passed on.
        accept: which form the client wants.
        caller: whose request it is.
        streams: where it counts, if it is a watch.
    """

    def __init__(
        self,
        kubernetes: KubernetesApi,
        path: str,
        query: list[tuple[str, str]],
        *,
        accept: str,
        caller: Caller,
        streams: Streams | None,
    ) -> None:
        super().__init__()
        self._kubernetes = kubernetes
        self._path = path
        self._query = query
        self._accept = accept
        self._caller = caller
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask, and pass on."""
        streams = self._streams
        opening = self._kubernetes.stream(
            self._path,
            credentials=self._caller.credentials,
            query=self._query,
            headers={"Accept": self._accept},
            read_timeout_seconds=None if streams else _READ_TIMEOUT_SECONDS,
        )
        try:
            with streams.place(self._caller) if streams else nullcontext():
                async with opening as answer:
                    kept = {name: value for name in _PASSED_HEADERS if (value := answer.headers.get(name))}
                    chunks = _until(streams.closing, answer) if streams else answer.content.iter_any()
                    response = StreamingResponse(chunks, status_code=answer.status, headers={**_PRIVATE, **kept})
                    await response(scope, receive, send)
        except ApiError as error:
            raise problems_of(error) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # Half of it is out. Without its last piece the server closes the connection, so nobody takes it for whole.
            log.warning("an answer of the API server broke off (%s)", type(error).__name__)


async def _until(closing: asyncio.Event, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The events of a watch, until it ends, breaks, or this process ends: for its client that is all the same."""
    is_closing = asyncio.ensure_future(closing.wait())
    try:
        while True:
            chunk = asyncio.ensure_future(answer.content.readany())
            await asyncio.wait((chunk, is_closing), return_when=asyncio.FIRST_COMPLETED)
            if not chunk.done():
                chunk.cancel()
                return
            data = chunk.result()
            if not data:
                return
            yield data
    except (aiohttp.ClientError, TimeoutError, OSError):
        return
    finally:
        is_closing.cancel()
