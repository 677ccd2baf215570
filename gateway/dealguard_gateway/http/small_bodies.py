"""Requests that are not uploads are small, and come at once: more, or slower, is cut off."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dealguard_gateway.http.answers import problem_answer
from dealguard_gateway.problems import InvalidProblem

MAX_BODY_BYTES = 64 * 1024
_BODY_SECONDS = 10.0
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class _CutOffError(Exception):
    """The body is too large or too slow; what came of it so far is of no use."""


@dataclass
class _Body:
    """What became of a request's body, and of its answer."""

    refusal: InvalidProblem | None = None
    is_answered: bool = False


class SmallBodies:
    """Middleware: bounds the bodies of all requests but uploads, which bound theirs by themselves.

    Args:
        app: what answers.
        uploads: method and path of the uploads.
    """

    def __init__(self, app: ASGIApp, *, uploads: frozenset[tuple[str, str]]) -> None:
        self._app = app
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http" or scope["method"] in _BODILESS or (scope["method"], scope["path"]) in self._uploads:
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced) > MAX_BODY_BYTES:
            await problem_answer(_too_large())(scope, receive, send)
            return
        body = _Body()

        async def send_unless_refused(message: Message) -> None:
            # A route may take the end of its body for a fault of the client's, and answer something else.
            if body.refusal is None or body.is_answered:
                body.is_answered = True
                await send(message)

        with suppress(_CutOffError):
            await self._app(scope, _bounded(receive, body), send_unless_refused)
        if body.refusal is not None and not body.is_answered:
            await problem_answer(body.refusal)(scope, receive, send)


def _bounded(receive: Receive, body: _Body) -> Receive:
    left_bytes = MAX_BODY_BYTES
    is_complete = False
    end_at = asyncio.get_running_loop().time() + _BODY_SECONDS

    async def receive_some() -> Message:
        nonlocal left_bytes, is_complete
        if is_complete:  # what comes now is the end of the connection
            return await receive()
        try:
            async with asyncio.timeout_at(end_at):
                message = await receive()
        except TimeoutError:
            body.refusal = InvalidProblem(
                "body-too-slow", "The body of the request did not arrive in time. Send it again.", status=408
            )
            raise _CutOffError from None
        left_bytes -= len(message.get("body", b""))
        is_complete = not message.get("more_body", False)
        if left_bytes < 0:
            body.refusal = _too_large()
            raise _CutOffError
        return message

    return receive_some


def _too_large() -> InvalidProblem:
    return InvalidProblem(
        "body-too-large",
        f"The body of this request may have at most {MAX_BODY_BYTES} bytes. Only POST /contracts takes documents.",
        status=413,
    )
