"""HTTP/1.1 on the wire: uvicorn's, with patience bounded at both ends.

uvicorn waits for ever for the end of a request's headers, and for ever for a client that takes no answer: a few
thousand connections that do so (slow-loris) would use up what there is.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# A phone in a tunnel needs seconds; nothing honest needs more.
_HEADERS_SECONDS = 10.0
# A session's cookies take up to 16 KB.
_MAX_HEADER_BYTES = 64 * 1024
# In which a client has to take what is buffered for it (64 KB), or it has gone.
_UNREAD_SECONDS = 60.0

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class PatientProtocol(HttpToolsProtocol):
    """A connection that is closed when its client is too slow or says too much."""

    _headers_timer: asyncio.TimerHandle | None = None
    _unread_timer: asyncio.TimerHandle | None = None
    _header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first request."""
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._cancel_headers_timer()
        self._cancel_unread_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins; on a connection that stays open, not the first one."""
        super().on_message_begin()
        self._header_bytes = 0
        if self._headers_timer is None:
            self._await_headers()

    def on_url(self, url: bytes) -> None:
        """Part of the address."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        super().on_header(name, value)
        self._count(len(name) + len(value))

    def on_headers_complete(self) -> None:
        """The request can be answered."""
        self._cancel_headers_timer()
        if not self.transport.is_closing():
            super().on_headers_complete()

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
        self._headers_timer = self.loop.call_later(_HEADERS_SECONDS, self.transport.abort)

    def _count(self, size_bytes: int) -> None:
        self._header_bytes += size_bytes
        if self._header_bytes > _MAX_HEADER_BYTES and not self.transport.is_closing():
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
        "loop": "uvloop",
        # Open connections, idle ones too: each client that polls keeps one.
        "limit_concurrency": 20_000,
        "backlog": 4096,
        # Longer than the 3 s between two polls, so that a client keeps its connection.
        "timeout_keep_alive": 15,
        "server_header": False,
        "date_header": False,
        "access_log": False,
    }
