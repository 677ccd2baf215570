"""Byte ranges of HTTP (RFC 9110): single ones; whoever asks for several gets the whole."""

import re
from dataclasses import dataclass

from starlette.requests import Request

_RANGE = re.compile(r"bytes\s*=\s*(?P<start>\d{0,18})\s*-\s*(?P<end>\d{0,18})", re.IGNORECASE)


@dataclass(frozen=True)
class ByteRange:
    """The bytes from `start` to `end`, both included."""

    start: int
    end: int


class UnsatisfiableError(Exception):
    """The range begins behind the end."""


def range_of(request: Request, size_bytes: int, etag: str) -> ByteRange | None:
    """The range that a request asks for; None: the whole.

    Args:
        request: with `Range` and, for one who has a part already, `If-Range`.
        size_bytes: of the whole.
        etag: of the whole; a client that has another version gets it all.

    Raises:
        UnsatisfiableError: 416.
    """
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    # A date in If-Range is a weak validator here: seconds.
    if match is None or request.headers.get("if-range", etag) != etag:
        return None
    start, end = match["start"], match["end"]
    if not start and not end:
        return None
    if not start:
        length = min(int(end), size_bytes)
        if not length:
            raise UnsatisfiableError
        return ByteRange(size_bytes - length, size_bytes - 1)
    if end and int(end) < int(start):
        return None  # no range at all, says the RFC
    if int(start) >= size_bytes:
        raise UnsatisfiableError
    return ByteRange(int(start), min(int(end), size_bytes - 1) if end else size_bytes - 1)
