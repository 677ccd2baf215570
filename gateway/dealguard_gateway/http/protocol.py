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
# Of what is no content between two pieces of content: chunk sizes, and at the end trailers, which nobody reads.
_MAX_FRAMING_BYTES = 64 * 1024

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class _Part(Enum):
    """What of a request is being read."""

    NOTHING = auto()
    HEADERS = auto()
    BODY = auto()


class PatientProtocol(HttpToolsProtocol):
    """A connection that is closed when its client is too slow or says too much.

    Two timers at most: for what the client has begun to send and nobody but the connection waits for, and for what it
    has to take. A request whose headers come in one piece, as nearly all do, costs neither a timer nor the counting of
    its headers.
    """

    # A phone in a tunnel needs seconds; nothing honest needs more.
    headers_seconds = 10.0
    # For the rest of a body after its answer; before, the application says how long it waits.
    body_seconds = 15.0
    # In which a client has to take what is buffered for it, or it has gone.
    unread_seconds = 60.0

    _request_timer: asyncio.TimerHandle | None = None
    _unread_timer: asyncio.TimerHandle | None = None
    _part = _Part.NOTHING
    _piece_bytes = 0  # what is being read now
    _first_bytes = 0  # of the piece with which the headers began
    _later_bytes = 0  # of headers, after that piece
    _framing_bytes = 0  # of pieces since the last one with content

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first request."""
        super().connection_made(transport)
        self._await_request(self.headers_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._cancel_request_timer()
        self._cancel_unread_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A piece of a request, or several requests."""
        self._piece_bytes = len(data)
        self._framing_bytes += len(data)
        super().data_received(data)
        if self._part is _Part.HEADERS:
            # Counted as they come: the parser tells of a header only when it has ended.
            self._later_bytes += len(data)
            if self._later_bytes > _MAX_HEADER_BYTES:
                self._refuse_headers()
        elif self._part is _Part.BODY and self._framing_bytes > _MAX_FRAMING_BYTES:
            self._leave()
        if self._request_timer is None and not self.transport.is_closing():
            seconds = self._patience_seconds()
            if seconds is not None:
                self._await_request(seconds)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._part = _Part.HEADERS
        self._first_bytes = self._piece_bytes  # which may have the end of another request's body too
        self._later_bytes = -self._piece_bytes

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer: what comes after the body was not there when the request was judged."""
        if self._part is _Part.HEADERS:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The request can be answered."""
        self._part = _Part.BODY
        self._framing_bytes = 0
        if self._request_timer is not None:
            self._cancel_request_timer()
        # They can be no larger than what they came with: only then are they looked at one by one.
        most_bytes = self._first_bytes + self._later_bytes + self._piece_bytes
        if most_bytes > _MAX_HEADER_BYTES and self._header_bytes() > _MAX_HEADER_BYTES:
            self._refuse_headers()
        elif not self.transport.is_closing():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request has come whole."""
        self._part = _Part.NOTHING
        if self._request_timer is not None:
            self._cancel_request_timer()
        # One whose headers were refused was never begun.
        if not self.transport.is_closing():
            super().on_message_complete()

    def on_body(self, body: bytes) -> None:
        """Some of the request's body."""
        self._framing_bytes = 0
        if not self.transport.is_closing():
            super().on_body(body)

    def on_response_complete(self) -> None:
        """An answer is on its way; it may have been the connection's last."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._bound_unread()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, except into the middle of an answer."""
        if self.transport.is_closing():
            return
        if self._is_answered():
            super().send_400_response(msg)
        self._leave()

    def timeout_keep_alive_handler(self) -> None:
        """No further request came."""
        if not self.transport.is_closing():
            self._leave()

    def shutdown(self) -> None:
        """The process ends."""
        super().shutdown()
        if self.transport.is_closing():
            self._bound_unread()

    def pause_writing(self) -> None:
        """The client takes less than it is sent."""
        super().pause_writing()
        self._bound_unread()

    def resume_writing(self) -> None:
        """The client has caught up."""
        if not self.transport.is_closing():
            self._cancel_unread_timer()
        super().resume_writing()

    def _patience_seconds(self) -> float | None:
        """For what the client is sending; None: it is sending nothing, or the application waits for it."""
        if self._part is _Part.HEADERS:
            return self.headers_seconds
        if not self._is_answered():
            return None
        # Nothing: line breaks alone begin no request, but end uvicorn's wait for one.
        return self.headers_seconds if self._part is _Part.NOTHING else self.body_seconds

    def _is_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _header_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _refuse_headers(self) -> None:
        if not self.transport.is_closing():
            if self._is_answered():
                self.transport.write(_TOO_LARGE)
            self._leave()

    def _leave(self) -> None:
        """Close the connection when the client has taken what is buffered for it, or it has had its time."""
        self.transport.close()
        self._bound_unread()

    def _await_request(self, seconds: float) -> None:
        self._request_timer = self.loop.call_later(seconds, self.transport.abort)

    def _bound_unread(self) -> None:
        if self._unread_timer is None:
            self._unread_timer = self.loop.call_later(self.unread_seconds, self.transport.abort)

    def _cancel_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

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
        # By which the page corrects its clock.
        "date_header": True,
        "access_log": False,
    }
