"""The poll, `GET /contracts/{id}`: what thousands of clients ask every 3 seconds.

It is answered before the router: FastAPI's and Starlette's handling of a request takes longer than all that the answer
needs. Everything that holds for every request (ids, headers, limits, the guard, sessions) lies further out, and holds
for it too.
"""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dealguard_gateway.http.answers import problem_answer
from dealguard_gateway.problems import Problem
from dealguard_gateway.routes.answers import contract_answer
from dealguard_gateway.routes.lookup import caller_with, visible_entry
from dealguard_gateway.services import Services

_METHODS = frozenset({"GET", "HEAD"})


class Polls:
    """Middleware, the innermost: answers polls, and hands on all else.

    Args:
        app: what answers all else.
        services: what it answers from.
    """

    def __init__(self, app: ASGIApp, *, services: Services) -> None:
        self._app = app
        self._services = services
        # The requests are counted by its path.
        self._route = Route("/contracts/{id}", self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        match = self._route.path_regex.match(scope["path"]) if scope["type"] == "http" else None
        if match is None or scope["method"] not in _METHODS:
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route
        # Of several with one name the first one counts.
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
        client = scope.get("client")
        try:
            answer = await poll_answer(self._services, match["id"], headers, client[0] if client else "")
        except Problem as problem:
            answer = problem_answer(problem)
        await answer(scope, receive, send)


async def poll_answer(services: Services, id: str, headers: Mapping[str, str], address: str) -> Response:  # noqa: A002
    """Where the contract `id` stands, for a request with these headers (names in lower case) from that address.

    Raises:
        Problem: there is none, or the caller may not see it, and what else `caller_of` raises.
    """
    caller = await caller_with(services, headers, address)
    entry = await visible_entry(services, caller, id)
    return contract_answer(services.store, entry, known=headers.get("if-none-match"))
