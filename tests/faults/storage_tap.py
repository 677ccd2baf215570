"""What the object storage is asked for: a TCP port before it that reads along, since its URLs are signed for a host."""

import re
import socket
import threading
from types import TracebackType
from urllib.parse import unquote, urlsplit

_REQUEST_LINE = re.compile(rb"^(?:GET|HEAD|PUT|POST|DELETE) (\S+) HTTP/1\.[01]\r$", re.MULTILINE)


class StorageTap:
    """Leads to the object storage. A context manager.

    Args:
        endpoint: the storage's own.
    """

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._target = (parts.hostname or "", parts.port or 80)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._sent = bytearray()
        self.endpoint = f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> "StorageTap":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        for each in (self._server, *self._sockets):
            each.close()

    def asked(self) -> list[str]:
        """The paths of all requests, without their queries, decoded."""
        return [unquote(urlsplit(path.decode()).path) for path in _REQUEST_LINE.findall(bytes(self._sent))]

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            self._sockets += [near, far]
            threading.Thread(target=self._pump, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, False), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, is_request: bool) -> None:
        try:
            while data := source.recv(65536):
                if is_request:
                    self._sent += data  # whole heads: they are small, and the operator writes no objects here
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
