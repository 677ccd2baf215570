"""An object storage as its presigned URLs show it: GET, PUT and DELETE over real HTTP, with faults on demand."""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

SIGNATURE = "5ec2e7f1a6b0"

# A status to answer with; or cut: half of the body, then nothing; stall: an answer that never comes; endless: a body
# without an end and without a length; lost: the request is carried out, and the answer lost.
Fault = int | Literal["cut", "stall", "endless", "lost", "no bucket"]


@dataclass
class _State:
    objects: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    requests: list[str] = field(default_factory=list)
    clock_ahead_seconds: float = 0.0
    closing: threading.Event = field(default_factory=threading.Event)


class PresignedStorage:
    """The server.

    Attributes:
        objects: key → bytes.
        faults: "METHOD key" → what goes wrong, one for each request, in turn.
        port: where it listens.
        clock_ahead_seconds: how far the dates of its answers are ahead of this machine's clock.
        requests: "METHOD key" of each request that came.

    Args:
        port: to listen on; 0: any that is free.
    """

    def __init__(self, port: int = 0) -> None:
        self._state = _State()
        self.objects = self._state.objects
        self.faults = self._state.faults
        self.requests = self._state.requests
        handler = type("Handler", (_Handler,), {"state": self._state})
        self._server = _Server(("127.0.0.1", port), handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def clock_ahead_seconds(self) -> float:
        return self._state.clock_ahead_seconds

    @clock_ahead_seconds.setter
    def clock_ahead_seconds(self, seconds: float) -> None:
        self._state.clock_ahead_seconds = seconds

    def url(self, key: str, signature: str = SIGNATURE) -> str:
        """A presigned URL, as valid as its signature."""
        return f"http://127.0.0.1:{self.port}/{key}?X-Amz-Expires=300&X-Amz-Signature={signature}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._state.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that are terminated hang up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: _State

    def do_GET(self) -> None:
        key = self._admit()
        if key is None:
            return
        if key not in self.state.objects:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._answer(200, self.state.objects[key])

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = self._admit()
        if key is None:
            return
        if self.headers.get("If-None-Match") == "*" and key in self.state.objects:
            self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        self.state.objects[key] = body
        if self._lost:
            self.close_connection = True
            return
        self._answer(200, b"")

    def do_DELETE(self) -> None:
        key = self._admit()
        if key is not None:
            self.state.objects.pop(key, None)  # what is not there is removed as well
            self._answer(204, b"")

    def _admit(self) -> str | None:
        """The key that may be served now; None if the request has been answered, or left unanswered."""
        url = urlsplit(self.path)
        key = url.path.lstrip("/")
        self.state.requests.append(f"{self.command} {key}")
        if parse_qs(url.query).get("X-Amz-Signature") != [SIGNATURE]:
            self._answer(403, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
            return None
        faults = self.state.faults[f"{self.command} {key}"]
        fault = faults.pop(0) if faults else None
        self._lost = fault == "lost"
        if fault is None or self._lost:
            return key
        self._go_wrong(fault, self.state.objects.get(key, b""))
        return None

    def _go_wrong(self, fault: Fault, body: bytes) -> None:
        self.close_connection = True
        if fault == "stall":
            self.state.closing.wait()
        elif fault == "cut":
            self._head(200, {"Content-Length": str(len(body))})
            self.wfile.write(body[: len(body) // 2])
        elif fault == "endless":
            self._head(200, {"Connection": "close"})
            self._write_without_end()
        elif fault == "no bucket":
            self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        elif isinstance(fault, int):
            self._answer(fault, b"<Error/>")

    def _write_without_end(self) -> None:
        try:
            while not self.state.closing.is_set():
                self.wfile.write(b"%PDF-" + b"x" * 65536)
                time.sleep(0.001)
        except OSError:
            return  # the reader has had enough

    def _answer(self, status: int, body: bytes) -> None:
        self._head(status, {"Content-Length": str(len(body))})
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.state.clock_ahead_seconds)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""
