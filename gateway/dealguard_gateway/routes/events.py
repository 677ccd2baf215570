"""Server-sent events: changes as the watch tells of them, to everybody who listens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractContextManager
from typing import Annotated

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from dealguard_gateway.access.callers import Caller
from dealguard_gateway.http.streams import Streams
from dealguard_gateway.kubernetes.store import Change, Entry, Subscription
from dealguard_gateway.problems import Problem
from dealguard_gateway.routes.answers import problem_responses
from dealguard_gateway.routes.contracts import ORGANIZATION, ContractId, check_organization
from dealguard_gateway.routes.lookup import caller_of, entry_for, require, services_of

router = APIRouter(tags=["contracts"])

# Proxies cut connections that are silent for a minute, some for half of one.
_HEARTBEAT_SECONDS = 15.0
# Then the client comes again, perhaps to another replica.
_STREAM_SECONDS = 300.0
_HEARTBEAT = b": still here\n\n"
_HEADERS = {
    "Cache-Control": "private, no-cache, no-transform",
    "Vary": "Authorization, Cookie",
    "X-Accel-Buffering": "no",  # nginx would hold events back
}
_CONTENT = {"text/event-stream": {"schema": {"type": "string"}}}


@router.get(
    "/contracts/{id}/events",
    operation_id="followContract",
    summary="A contract's changes as they happen",
    description="Server-sent events. `contract`: `data` is the contract (as `GET /contracts/{id}`), the first one its "
    "present state. `deleted`: there is none any more; the stream ends. Comments every 15 seconds keep the connection "
    "alive. The server ends the stream after 5 minutes: connect again.",
    response_class=Response,
    responses={200: {"content": _CONTENT, "description": "Events."}, **problem_responses(404)},
)
async def follow_contract(request: Request, id: ContractId) -> Response:  # noqa: A002
    """A contract's changes."""
    caller, entry = await entry_for(request, id)
    streams: Streams = request.app.state.streams
    streams.check(caller)
    store = services_of(request).store

    def begin(subscription: Subscription) -> list[bytes]:
        # What came between the question and the subscription is in the store.
        return [_contract_event(store.get(entry.namespace, entry.name) or entry)]

    return _stream(
        lambda: store.subscribe(entry.namespace, entry.name),
        begin,
        streams.place(caller),
        lambda: _may_still(request, caller, "get", entry.namespace, entry.name),
        ends_with_deletion=True,
    )


@router.get(
    "/events",
    operation_id="followContracts",
    summary="The changes of all contracts of an organization",
    description="Server-sent events. First `sync`: read the list now; what follows is newer. Then `contract` (`data` "
    "is the contract) and `deleted` (`data` has its `id`). The server ends the stream after 5 minutes: connect again.",
    response_class=Response,
    responses={200: {"content": _CONTENT, "description": "Events."}, **problem_responses(403)},
)
async def follow_contracts(request: Request, organization: Annotated[str, ORGANIZATION]) -> Response:
    """The changes of all contracts of an organization."""
    caller = await caller_of(request)
    check_organization(organization)
    await require(request, caller, "list", organization)
    streams: Streams = request.app.state.streams
    streams.check(caller)
    store = services_of(request).store
    return _stream(
        lambda: store.subscribe(organization),
        lambda _: [b"event: sync\ndata: {}\n\n"],
        streams.place(caller),
        lambda: _may_still(request, caller, "list", organization),
        ends_with_deletion=False,
    )


def _stream(
    subscribe: Callable[[], Subscription],
    begin: Callable[[Subscription], Iterable[bytes]],
    place: AbstractContextManager[None],
    may_still: Callable[[], Awaitable[bool]],
    *,
    ends_with_deletion: bool,
) -> Response:
    async def events() -> AsyncIterator[bytes]:
        # Only here, so that nothing is left behind where the client hangs up before the first event.
        with place:
            subscription = subscribe()
            try:
                for event in begin(subscription):
                    yield event
                async for event in _follow(subscription, may_still, ends_with_deletion=ends_with_deletion):
                    yield event
            finally:
                subscription.close()

    return StreamingResponse(events(), media_type="text/event-stream", headers=_HEADERS)


async def _may_still(request: Request, caller: Caller, verb: str, namespace: str, name: str = "") -> bool:
    """Whether the credentials and the right with which a stream began are still good; asked as for any request."""
    access = services_of(request).access
    try:
        now = await access.caller(request.headers)
        return now.username == caller.username and await access.may(now, verb, namespace, name)
    except Problem:
        return False  # the client comes again, and is told


async def _follow(
    subscription: Subscription, may_still: Callable[[], Awaitable[bool]], *, ends_with_deletion: bool
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    end_at = loop.time() + _STREAM_SECONDS
    while True:
        try:
            async with asyncio.timeout_at(min(loop.time() + _HEARTBEAT_SECONDS, end_at)):
                change = await anext(subscription)
        except TimeoutError:
            if loop.time() >= end_at:
                return
            change = None
        except StopAsyncIteration:
            return
        if not await may_still():
            return
        if change is None:
            yield _HEARTBEAT
            continue
        yield _event_of(change)
        if change.kind == "deleted" and ends_with_deletion:
            return


def _event_of(change: Change) -> bytes:
    if change.kind == "contract":
        return _contract_event(change.entry)
    return _event("deleted", change.entry, b'{"id":"%s"}' % change.entry.contract.id.encode())


def _contract_event(entry: Entry) -> bytes:
    return _event("contract", entry, entry.body)


def _event(kind: str, entry: Entry, data: bytes) -> bytes:
    return b"event: %s\nid: %s\ndata: %s\n\n" % (kind.encode(), entry.resource_version.encode(), data)
