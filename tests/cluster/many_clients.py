"""Thousands of connections to one address, from one thread: each asks once, and none is read before all have asked."""

import resource
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

# What this process and a server may have open besides the connections.
_OTHER_FILES = 500


@dataclass
class Client:
    """One connection, what is asked over it and what comes back."""

    question: bytes
    connection: socket.socket
    received: bytearray = field(default_factory=bytearray)
    is_closed: bool = False

    @property
    def status(self) -> int:
        """Of the answer; 0 if there is none."""
        return int(self.received[9:12]) if self.received.startswith(b"HTTP/1.1 ") else 0

    @property
    def body(self) -> bytes:
        """Of the answer."""
        return bytes(self.received.partition(b"\r\n\r\n")[2])

    @property
    def is_answered(self) -> bool:
        """Whether the whole answer has come."""
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return False
        lengths = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return len(body) >= (int(lengths[0]) if lengths else 0)


def allow_files(count: int) -> None:
    """Let this process, and those that it starts, have so many connections open; an error if it cannot be."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert most >= count + _OTHER_FILES, f"this machine allows {most} open files: raise its hard limit (ulimit -Hn)"
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def ask_at_once(port: int, questions: Sequence[bytes], *, limit_seconds: float) -> list[Client]:
    """Ask each question over a connection of its own, then read all the answers; the caller closes.

    A connection asks as soon as it is open: on a busy machine, to open thousands takes longer than a server waits for
    the first word of one.

    Args:
        port: on this machine.
        questions: whole requests.
        limit_seconds: for the answers; who has none by then is as it is.
    """
    clients: list[Client] = []
    with selectors.DefaultSelector() as selector:
        for question in questions:
            client = Client(question, socket.create_connection(("127.0.0.1", port)))
            clients.append(client)
            # Smaller than any socket's buffer, so it goes whole.
            assert client.connection.send(question) == len(question)
            client.connection.setblocking(False)
            selector.register(client.connection, selectors.EVENT_READ, client)
        end, open_ones = time.monotonic() + limit_seconds, len(clients)
        while open_ones and time.monotonic() < end:
            for key, _ in selector.select(1.0):
                if _read(key.data):
                    selector.unregister(key.fileobj)
                    open_ones -= 1
    return clients


def _read(client: Client) -> bool:
    """Read what is there; whether no more is to come."""
    try:
        piece = client.connection.recv(65536)
    except ConnectionError:
        piece = b""
    client.received += piece
    client.is_closed = not piece
    return client.is_closed or client.is_answered
