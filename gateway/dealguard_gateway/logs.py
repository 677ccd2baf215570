"""Logs: one line an occurrence, as JSON or plain.

A line about an analysis carries `uid`, `namespace` and `name`, as the operator's and its pods' lines do: the uid alone
finds them all. A line of a request carries `request`, which the answer has as `X-Request-Id`. No line quotes a
contract, a file's name, a key, a token or a URL.
"""

import itertools
import json
import logging
import re
import secrets
import sys
import time
import traceback
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dealguard_gateway.http.answers import problem_answer
from dealguard_gateway.metrics import Metrics
from dealguard_gateway.problems import Problem
from dealguard_gateway.settings import GatewaySettings

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Random for each process, then counted: to draw random bytes for every poll would be a system call more.
_PROCESS, _NUMBERS = secrets.token_hex(5), itertools.count()
_CORRELATION = ("request", "uid", "namespace", "name")

log = logging.getLogger(__name__)


@dataclass(slots=True)
class RequestNote:
    """What the lines of one request are about, as far as it is known."""

    request: str
    uid: str | None = None
    namespace: str | None = None
    name: str | None = None
    is_stream: bool = False


_NOTE: ContextVar[RequestNote | None] = ContextVar("dealguard_request", default=None)


def about(*, uid: str, namespace: str, name: str) -> None:
    """From here on, this request's lines are about that analysis."""
    note = _NOTE.get()
    if note is not None:
        note.uid, note.namespace, note.name = uid, namespace, name


def mark_stream() -> None:
    """This request's answer lasts as long as its client listens: its duration says nothing."""
    note = _NOTE.get()
    if note is not None:
        note.is_stream = True


class RequestRecord:
    """Middleware: gives each request its id, counts it, and logs it if it changed something or failed.

    A poll that went well is counted only: thousands of lines a second would say nothing.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        note = RequestNote(_request_id(scope))
        token = _NOTE.set(note)
        began_at = time.perf_counter()
        status = 0  # not begun

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", note.request.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            log.exception("a request failed unexpectedly")
            if status:
                raise  # half of an answer is out: only the end of the connection can say so
            await problem_answer(_unexpected())(scope, receive, send_with_id)
        finally:
            self._record(scope, note, status, time.perf_counter() - began_at)
            _NOTE.reset(token)

    def _record(self, scope: Scope, note: RequestNote, status: int, seconds: float) -> None:
        method: str = scope["method"]
        route = route_of(scope)
        if not note.is_stream:
            self._metrics.answered(route, method, status, seconds)
        if method not in _QUIET_METHODS or status >= 500:
            log.log(
                logging.WARNING if status >= 500 else logging.INFO,
                "%s %s: %d after %.0f ms", method, route, status, seconds * 1000,
            )  # fmt: skip


def _unexpected() -> Problem:
    return Problem(
        "unexpected",
        "Something failed that should not. Repeat the request; if it fails again, tell the administrator the answer's "
        "X-Request-Id.",
    )


def route_of(scope: Scope) -> str:
    """The template of the path that was asked for; paths that lead nowhere are all one."""
    return getattr(scope.get("route"), "path", None) or "other"


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given: str = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(given):
                return given
    return f"{_PROCESS}{next(_NUMBERS):08x}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "severity": record.levelname.lower(),
            "message": record.getMessage(),
            **_correlation(),
        }
        line |= _failure(record)
        return json.dumps(line, ensure_ascii=False, default=str)


class PlainFormatter(logging.Formatter):
    """One line for a person."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        time_of_day = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        more = {**_correlation(), **_failure(record)}
        words = " ".join(f"{key}={value}" for key, value in more.items())
        return f"{time_of_day} {record.levelname.lower()} {record.getMessage()}{f'  [{words}]' if words else ''}"


def _correlation() -> dict[str, str]:
    note = _NOTE.get()
    return {key: value for key in _CORRELATION if (value := getattr(note, key, None))}


def _failure(record: logging.LogRecord) -> dict[str, Any]:
    if not isinstance(record.exc_info, tuple) or record.exc_info[0] is None:
        return {}
    # Type and place, not the message: it may quote what was worked on.
    frames = traceback.extract_tb(record.exc_info[2])
    return {
        "error": record.exc_info[0].__name__,
        "where": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def configure_logs(settings: GatewaySettings) -> None:
    """Send all logs to stderr, in the format that the settings ask for."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else PlainFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # A line for each request that cannot be read: whoever scans the port would fill the log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    # A line a request, with paths and addresses; ours say what is needed.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
