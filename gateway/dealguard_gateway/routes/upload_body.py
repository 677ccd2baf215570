"""The body of an upload, as the server hands it over: only when asked for, and not from clients that dawdle."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from starlette.requests import Request

from dealguard_gateway.problems import InvalidProblem
from dealguard_gateway.storage.multipart import MAX_OVERHEAD_BYTES
from dealguard_gateway.storage.pdf_check import too_large

# A client that drips would hold a place for hours. The slowest mobile connections bring several times as much; the
# first seconds are nobody's fault.
_MIN_BYTES_PER_SECOND = 4 * 1024
_GRACE_SECONDS = 30.0
# Beyond the first minute more has to come, or the largest document could take seven hours: so it takes half of one.
_MIN_BYTES_PER_LATER_SECOND = 64 * 1024
_FIRST_SECONDS = 60.0


def check_announced_size(request: Request, max_pdf_bytes: int) -> None:
    """Refuse by its headers what is larger than any upload, before anything of it is read.

    Raises:
        InvalidProblem: 413.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_pdf_bytes + MAX_OVERHEAD_BYTES:
        raise too_large(max_pdf_bytes)


async def body_of(
    request: Request, *, idle_seconds: float, max_pdf_bytes: int, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[bytes]:
    """The request's body in pieces; the first one asked for answers `Expect: 100-continue`.

    Args:
        request: whose.
        idle_seconds: the longest wait for a piece.
        max_pdf_bytes: the most that the file in it may have.
        clock: seconds that only grow.

    Raises:
        InvalidProblem: 408 of a client that is too slow, 413 of one that sends too much, 400 of one that has gone.
    """
    size_bytes, waited_seconds = 0, 0.0
    more = True
    while more:
        asked_at = clock()
        try:
            async with asyncio.timeout(idle_seconds):
                message = await request.receive()
        except TimeoutError:
            raise _too_slow() from None
        if message["type"] == "http.disconnect":
            raise InvalidProblem("upload-incomplete", "The upload was cut off. Send it again.", status=400)
        waited_seconds += clock() - asked_at
        chunk = message.get("body", b"")
        more = message.get("more_body", False)
        size_bytes += len(chunk)
        if size_bytes > max_pdf_bytes + MAX_OVERHEAD_BYTES:
            raise too_large(max_pdf_bytes)
        if size_bytes < _least_bytes(waited_seconds):
            raise _too_slow()
        if chunk:
            yield chunk


def _least_bytes(waited_seconds: float) -> float:
    """What has to have come after that long."""
    if waited_seconds <= _GRACE_SECONDS:
        return 0.0
    later_seconds = waited_seconds - _FIRST_SECONDS
    return max(waited_seconds * _MIN_BYTES_PER_SECOND, later_seconds * _MIN_BYTES_PER_LATER_SECOND)


def _too_slow() -> InvalidProblem:
    return InvalidProblem(
        "upload-too-slow",
        "The upload stood still, or came too slowly. Nothing of it was kept: send it again over a better connection.",
        status=408,
        headers={"Connection": "close"},
    )
