"""A stand-in of the gateway's API for states that are hard to get from the real one: it serves the real page with the
real headers, and answers as the API does, from contracts that the test writes.

It shares the models, the static files and the security headers with the gateway; what it plays itself is the cluster.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from dealguard_api import html, markdown
from dealguard_api.report import Report
from dealguard_gateway.http.security_headers import SecurityHeaders
from dealguard_gateway.http.static_folder import StaticFolder
from dealguard_gateway.model import Contract

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "gateway/dealguard_gateway/page"
PDFJS = ROOT / "gateway/pdfjs"
_PIECE_BYTES = 64 * 1024
# So that a reader on a busy machine has hung up long before the end.
_PIECE_SECONDS = 0.1
FINISHED = ("completed", "failed", "cancelled")


@dataclass
class State:
    """What the stand-in knows and how it behaves; a test changes it while it runs."""

    contracts: dict[str, Contract] = field(default_factory=dict)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    # What remains of a deleted contract.
    kept: list[str] = field(default_factory=list)
    user: str | None = "system:serviceaccount:acme:anna"
    token: str = "valid"
    # Who logs in with the token.
    logs_in: str = "system:serviceaccount:acme:anna"
    login: tuple[str, ...] = ("token", "oidc")
    login_by_link: bool = False
    organizations: tuple[tuple[str, bool], ...] = (("acme", True),)
    max_pdf_bytes: int = 5_000_000
    # Answers to give instead: path prefix → status and Retry-After.
    faults: dict[str, tuple[int, int]] = field(default_factory=dict)
    # Paths whose next answer breaks off in its body; whose answers never come.
    broken: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    events_work: bool = True
    # Whether streams of events say anything, as they do not behind a proxy that collects answers.
    events_speak: bool = True
    # Organizations whose streams say nothing, while others do.
    mute: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    uploads: list[dict[str, Any]] = field(default_factory=list)
    document_bytes_sent: int = 0
    upload_gate: threading.Event = field(default_factory=threading.Event)
    version: int = 0

    def asked(self, prefix: str) -> int:
        """How many requests began like this: `GET /contracts/acme.a`."""
        return sum(each.startswith(prefix) for each in self.requests)


def _broken_off(response: Response) -> Response:
    """The answer with its headers, and the beginning of its body."""

    async def beginning() -> AsyncIterator[bytes]:
        yield b'{"id": "'

    return StreamingResponse(beginning(), response.status_code, response.headers)


@lru_cache
def _folder(path: Path) -> StaticFolder:
    return StaticFolder.read(path)


def problem(word: str, status: int, retry_after: int = 0) -> Response:
    """An answer in the form of RFC 9457."""
    body = {"type": f"urn:dealguard:problem:{word}", "title": word, "status": status, "detail": f"In English: {word}."}
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


class Standin:
    """The server and its state."""

    def __init__(self) -> None:
        self.state = State()
        self.state.upload_gate.set()
        self._listeners: set[asyncio.Queue[tuple[str, Contract] | None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.port = 0
        self._page, self._pdfjs = _folder(PAGE), _folder(PDFJS)
        self.app = SecurityHeaders(
            Starlette(
                routes=[
                    Route("/", self._file),
                    Route("/page/{path:path}", self._file),
                    Route("/pdfjs/{path:path}", self._file),
                    Route("/session", self._session, methods=["GET", "POST", "DELETE"]),
                    Route("/organizations", self._organizations),
                    Route("/contracts", self._list),
                    Route("/contracts", self._upload, methods=["POST"]),
                    Route("/events", self._events),
                    Route("/contracts/{id}", self._contract, methods=["GET", "DELETE"]),
                    Route("/contracts/{id}/events", self._events),
                    Route("/contracts/{id}/report", self._report),
                    Route("/contracts/{id}/document", self._document),
                    Route("/contracts/{id}/{verb}", self._control, methods=["POST"]),
                ],
                middleware=[Middleware(BaseHTTPMiddleware, dispatch=self._guard)],
            ),
            https=False,
        )

    # What a test does to it.

    def put(self, contract: Contract) -> None:
        """Write a contract; whoever listens hears of it."""
        self.state.version += 1
        self.state.contracts[contract.id] = contract
        self._tell(("contract", contract))

    def remove(self, id: str) -> None:  # noqa: A002
        """Delete a contract, as somebody else would."""
        self._tell(("deleted", self.state.contracts.pop(id)))

    def drop_streams(self) -> None:
        """Break all streams of events, once there is one."""
        self.await_listener()
        self._tell(None)

    def await_listener(self, number: int = 1) -> None:
        """Wait until somebody listens to events: to so many streams."""
        end = time.monotonic() + 20
        while len(self._listeners) < number:
            assert time.monotonic() < end, "nobody listens to events"
            time.sleep(0.02)

    def _tell(self, what: tuple[str, Contract] | None) -> None:
        if self._loop is not None:
            for queue in list(self._listeners):
                self._loop.call_soon_threadsafe(queue.put_nowait, what)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The server, until the block ends; its URL. The second time on the same port."""
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=self.port, log_level="error", timeout_graceful_shutdown=1, ws="none"
        )
        server = uvicorn.Server(config)

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await server.serve()

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the stand-in did not start"
            time.sleep(0.01)
        self.port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{self.port}"
        finally:
            self._tell(None)
            self.state.upload_gate.set()
            server.should_exit = True
            thread.join(10)
            self._loop = None

    # The API.

    async def _guard(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        path = request.url.path
        self.state.requests.append(f"{request.method} {path}")
        for prefix, (status, retry_after) in self.state.faults.items():
            if path.startswith(prefix):
                return problem("fault", status, retry_after)
        is_open = path == "/" or path.startswith(("/page/", "/pdfjs/", "/session"))
        if not is_open and self.state.user is None:
            return problem("not-logged-in", 401)
        if request.method not in ("GET", "HEAD") and request.headers.get("x-requested-with") != "dealguard":
            return problem("cross-site-request", 403)
        if path in self.state.silent:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return Response(status_code=499)
        response = await call_next(request)
        if path in self.state.broken and response.status_code == 200:
            self.state.broken.discard(path)
            return _broken_off(response)
        return response

    async def _file(self, request: Request) -> Response:
        folder = self._pdfjs if request.url.path.startswith("/pdfjs/") else self._page
        return folder.answer(request.path_params.get("path", "index.html"), request)

    async def _session(self, request: Request) -> Response:
        state = self.state
        if request.method == "POST":
            if (await request.json()).get("token") != state.token:
                return problem("credentials-rejected", 401)
            state.user = state.logs_in
            return Response(status_code=204)
        if request.method == "DELETE":
            state.user = None
            return Response(status_code=204)
        organizations = [{"name": name, "mayUpload": may} for name, may in state.organizations]
        body = {"user": state.user, "organizations": organizations if state.user else [], "login": list(state.login)}
        body["loginByLink"] = state.login_by_link
        return JSONResponse({**body, "maxPdfBytes": state.max_pdf_bytes, "expiresAt": None})

    async def _organizations(self, request: Request) -> Response:
        return JSONResponse([{"name": name, "mayUpload": may} for name, may in self.state.organizations])

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        statuses, risks = query.getlist("status"), query.getlist("risk")
        found = [
            contract
            for contract in self.state.contracts.values()
            if (not statuses or contract.status in statuses)
            and (not risks or (contract.summary and contract.summary.risk_level in risks))
            and query.get("q", "").casefold() in f"{contract.file_name} {contract.name}".casefold()
            and query.get("organization") in (None, contract.organization)
        ]
        order = query.get("order", "-createdAt")
        keys = {
            "createdAt": lambda contract: (contract.created_at, contract.id),
            "fileName": lambda contract: (contract.file_name or "", contract.id),
            "riskScore": lambda contract: (contract.summary.risk_score if contract.summary else -1, contract.id),
        }
        found.sort(key=keys[order.removeprefix("-")], reverse=order.startswith("-"))
        start, limit = int(query.get("after", 0)), int(query.get("limit", 50))
        assert 1 <= limit <= 200
        more = request.url.include_query_params(after=start + limit)
        following = f"{more.path}?{more.query}" if start + limit < len(found) else None
        shown = [contract.model_dump(mode="json", by_alias=True) for contract in found[start : start + limit]]
        return JSONResponse({"items": shown, "next": following, "total": len(found)})

    async def _contract(self, request: Request) -> Response:
        contract = self.state.contracts.get(request.path_params["id"])
        if contract is None:
            return problem("contract-not-found", 404)
        if request.method == "DELETE":
            self.remove(contract.id)
            return JSONResponse({"erased": ["analysis", "document", "reports"], "kept": self.state.kept})
        etag = f'"{hash(contract.model_dump_json())}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        return self._answer(contract, 200, {"ETag": etag})

    @staticmethod
    def _answer(contract: Contract, status: int, headers: dict[str, str]) -> Response:
        return JSONResponse(contract.model_dump(mode="json", by_alias=True), status, headers)

    async def _events(self, request: Request) -> Response:
        if not self.state.events_work:
            return problem("too-many-streams", 429, 30)
        id_, organization = request.path_params.get("id"), request.query_params.get("organization")
        followed = None if id_ is None else self.state.contracts.get(id_)
        if id_ is not None and followed is None:
            return problem("contract-not-found", 404)

        def event(kind: str, contract: Contract) -> str:
            data = contract.model_dump_json(by_alias=True) if kind == "contract" else json.dumps({"id": contract.id})
            return f"event: {kind}\ndata: {data}\n\n"

        # Before anybody is told that somebody listens: then it may be removed at once.
        first = "event: sync\ndata: {}\n\n" if followed is None else event("contract", followed)
        queue: asyncio.Queue[tuple[str, Contract] | None] = asyncio.Queue()
        self._listeners.add(queue)

        async def events() -> AsyncIterator[str]:
            try:
                if not self.state.events_speak or organization in self.state.mute:
                    yield ": nothing\n\n"
                    while await queue.get() is not None:
                        pass
                    return
                yield first
                while (change := await queue.get()) is not None:
                    if id_ in (None, change[1].id) and organization in (None, change[1].organization):
                        yield event(*change)
            finally:
                self._listeners.discard(queue)

        return StreamingResponse(events(), media_type="text/event-stream")

    async def _report(self, request: Request) -> Response:
        id_, query = request.path_params["id"], request.query_params
        report = self.state.reports.get(id_)
        if report is None:
            return problem("report-not-found", 404)
        render = {"markdown": markdown.render, "html": html.render}.get(query.get("format", "json"))
        if render is None:
            return JSONResponse(report)
        language: Any = query.get("language")
        name = self.state.contracts[id_].file_name
        text = render(Report.model_validate(report), language, document_name=name)
        return Response(text, media_type=f"text/{query['format']}")

    async def _document(self, request: Request) -> Response:
        content = self.state.documents.get(request.path_params["id"])
        if content is None:
            return problem("document-not-found", 404)
        headers = {"Accept-Ranges": "bytes"}
        asked = request.headers.get("range", "")
        if not asked.startswith("bytes="):
            # In pieces, as from a storage: a reader that has seen enough of the headers hangs up.
            return StreamingResponse(
                self._pieces(content),
                headers={**headers, "Content-Length": str(len(content))},
                media_type="application/pdf",
            )
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(content) - 1), len(content) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        self.state.document_bytes_sent += end + 1 - start
        return Response(content[start : end + 1], 206, headers, media_type="application/pdf")

    async def _pieces(self, content: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(content), _PIECE_BYTES):
            piece = content[start : start + _PIECE_BYTES]
            self.state.document_bytes_sent += len(piece)
            yield piece
            if start + _PIECE_BYTES < len(content):
                await asyncio.sleep(_PIECE_SECONDS)

    async def _upload(self, request: Request) -> Response:
        async with request.form() as form:
            await asyncio.to_thread(self.state.upload_gate.wait, 120)
            file: Any = form["file"]
            content = await file.read()
            fields = {key: value for key, value in form.items() if key != "file"}
        organization = request.query_params["organization"]
        self.state.uploads.append({**fields, "organization": organization, "file": file.filename})
        name = f"contract-{abs(hash(content)):024d}"[:33]
        id_ = f"{organization}.{name}"
        if id_ in self.state.contracts:
            return self._answer(self.state.contracts[id_], 200, {})
        contract = contract_of(
            name, organization=organization, file_name=file.filename, status="pending", stage="queued"
        )
        self.state.documents[id_] = content
        self.put(contract)
        return self._answer(contract, 202, {"Location": f"/contracts/{id_}", "Retry-After": "3"})

    async def _control(self, request: Request) -> Response:
        contract = self.state.contracts.get(request.path_params["id"])
        if contract is None:
            return problem("contract-not-found", 404)
        is_finished = contract.status in FINISHED
        if (request.path_params["verb"] == "cancel") == is_finished:
            return problem("not-now", 409)
        changes: dict[str, Any] = {"status": "cancelled", "stage": None}
        if is_finished:
            changes = {
                "status": "pending",
                "stage": "queued",
                "failure": None,
                "summary": None,
                "run": contract.run + 1,
            }
        changed = Contract.model_validate({**contract.model_dump(), **changes})
        self.put(changed)
        return self._answer(changed, 202, {})


def contract_of(name: str, **fields: Any) -> Contract:
    """A contract with these fields, by their Python names; the rest is usual."""
    organization = fields.pop("organization", "acme")
    id_ = f"{organization}.{name}"
    path = f"/contracts/{id_}"
    usual: dict[str, Any] = {
        "id": id_,
        "organization": organization,
        "name": name,
        "file_name": f"{name}.pdf",
        "status": "completed",
        "stage": None,
        "message": None,
        "suspended": False,
        "submitted_by": "system:serviceaccount:acme:anna",
        "created_at": "2026-11-20T09:30:00Z",
        "queued_at": fields.get("created_at", "2026-11-20T09:30:00Z"),
        "started_at": None,
        "finished_at": None,
        "run": 1,
        "attempts": 1,
        "options": {},
        "document": None,
        "summary": None,
        "failure": None,
        "usage": None,
        "reused": False,
        "links": {"self": path, "document": f"{path}/document", "events": f"{path}/events", "report": f"{path}/report"},
    }
    return Contract.model_validate({**usual, **fields})
