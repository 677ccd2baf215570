"""An answer on its way: what it costs so far, and how it is cut off when time is up."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx2

from dealguard_api.report import Usage

# Characters of answer per token, where a cut stream left no count.
_ANSWER_CHARACTERS_PER_TOKEN = 3


class Meter:
    """Counts what one request uses, from the stream's own events."""

    def __init__(self) -> None:
        self.characters = 0
        self._counts: dict[str, int] = {}
        self._finished = False

    def read(self, event: Any) -> None:  # the SDK's events are a union of some twenty types
        """Takes note of an event."""
        if event.type == "text":
            self.characters += len(event.text)
        elif event.type == "message_start":
            self._update(event.message.usage)
        elif event.type == "message_delta":
            self._update(event.usage)
            self._finished = True

    def _update(self, usage: Any) -> None:
        """Counts are cumulative; a later one replaces an earlier one."""
        for name in ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"):
            if (value := getattr(usage, name, None)) is not None:
                self._counts[name] = value

    def usage(self) -> Usage:
        """What the API counted; where the stream broke off, the output is estimated by what arrived."""
        output_tokens = self._counts.get("output_tokens", 0)
        if not self._finished:
            output_tokens = max(output_tokens, self.characters // _ANSWER_CHARACTERS_PER_TOKEN)
        return Usage(
            input_tokens=self._counts.get("input_tokens", 0),
            output_tokens=output_tokens,
            cache_read_tokens=self._counts.get("cache_read_input_tokens", 0),
            cache_write_tokens=self._counts.get("cache_creation_input_tokens", 0),
        )


@contextlib.contextmanager
def cut_at_deadline(response: httpx2.Response, seconds: float) -> Iterator[None]:
    """Shuts the response's connection down when time is up: read timeouts do not end a stream that drips."""
    stream = response.extensions.get("network_stream")
    if seconds == float("inf") or stream is None:
        yield
        return
    timer = threading.Timer(max(0.0, seconds), _shut_down, [stream.get_extra_info("socket")])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut_down(connection: socket.socket | None) -> None:
    with contextlib.suppress(OSError):
        if connection is not None:
            connection.shutdown(socket.SHUT_RDWR)
