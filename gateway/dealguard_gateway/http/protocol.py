"""HTTP/1.1 on the wire: uvicorn's, with patience bounded at both ends.

uvicorn waits for ever for the end of a request's headers, and for ever for a client that takes no answer: a few
thousand connections that do so (slow-loris) would use up what there is.
"""

import asyncio
from enum import Enum, auto
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# A session's cookies take up to 16 KB.
_MAX_HEADER_BYTES = 64 * 1024
# In which a client has to take what is buffered for it (64 KB), or it has gone.
_UNREAD_SECONDS = 60.0

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class _Part(Enum):
    """What of a request is being read."""

    NOTHING = auto()
    HEADERS = auto()
    BODY = auto()


class PatientProtocol(HttpToolsProtocol):
    """A connection that is closed when its client is too slow or says too much.

    A request whose headers come in one piece, as nearly all do, costs neither a timer nor the counting of its headers.
    """

    # A phone in a tunnel needs seconds; nothing honest needs more.
    headers_seconds = 10.0

    _headers_timer: asyncio.TimerHandle | None = None
    _unread_timer: asyncio.TimerHandle | None = None
    _part = _Part.NOTHING
    _piece_bytes = 0  # what is being read now
    _first_bytes = 0  # of the piece with which the headers began
    _later_bytes = 0  # of headers, after that piece

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first request."""
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._cancel_headers_timer()
        self._cancel_unread_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A piece of a request, or several requests."""
        self._piece_bytes = len(data)
        super().data_received(data)
        if self._part is _Part.HEADERS:
            # Counted as they come: the parser tells of a header only when it has ended.
            self._later_bytes += len(data)
            if self._later_bytes > _MAX_HEADER_BYTES:
                self._refuse_headers()
        if self._headers_timer is None and self._is_waiting() and not self.transport.is_closing():
            self._await_headers()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._part = _Part.HEADERS
        self._first_bytes = self._piece_bytes  # which may have the end of another request's body too
        self._later_bytes = -self._piece_bytes

    def on_headers_complete(self) -> None:
        """The request can be answered."""
        self._part = _Part.BODY
        if self._headers_timer is not None:
            self._cancel_headers_timer()
        # They can be no larger than what they came with: only then are they looked at one by one.
        most_bytes = self._first_bytes + self._later_bytes + self._piece_bytes
        if most_bytes > _MAX_HEADER_BYTES and self._header_bytes() > _MAX_HEADER_BYTES:
            self._refuse_headers()
        elif not self.transport.is_closing():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request has come whole."""
        self._part = _Part.NOTHING
        # One whose headers were refused was never begun.
        if self.cycle is not None:
            super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        """Some of the request's body."""
        if self.cycle is not None:
            super().on_body(body)

    def pause_writing(self) -> None:
        """The client takes less than it is sent."""
        super().pause_writing()
        if self._unread_timer is None:
            self._unread_timer = self.loop.call_later(_UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._cancel_unread_timer()
        super().resume_writing()

    def _await_headers(self) -> None:
        self._headers_timer = self.loop.call_later(self.headers_seconds, self.transport.abort)

    def _is_waiting(self) -> bool:
        """Whether headers are missing: also after line breaks alone, which begin no request but end uvicorn's wait."""
        if self._part is _Part.NOTHING:
            return self.cycle is None or self.cycle.response_complete
        return self._part is _Part.HEADERS

    def _header_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _refuse_headers(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def _cancel_headers_timer(self) -> None:
        if self._headers_timer is not None:
            self._headers_timer.cancel()
            self._headers_timer = None

    def _cancel_unread_timer(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None


def protocol_settings() -> dict[str, Any]:
    """What uvicorn is told about connections."""
    return {
        "http": PatientProtocol,
        "ws": "none",
        # Open connections, idle ones too: each client that polls keeps one.
        "limit_concurrency": 20_000,
        "backlog": 4096,
        # Longer than the 3 s between two polls, so that a client keeps its connection.
        "timeout_keep_alive": 15,
        "server_header": False,
        "date_header": False,
        "access_log": False,
    }
