"""Connections whose clients are slow or say too much, over real sockets, with an application of a few lines."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from dealguard_gateway.http.protocol import PatientProtocol, protocol_settings

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
# Far more than the waits of these tests, so that a machine under load fails none of them.
LONG_SECONDS = 30.0


class Impatient(PatientProtocol):
    """Waits for headers as long as a test can."""

    headers_seconds = 0.3
    body_seconds = 1.5
    unread_seconds = 0.3


async def _application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the size of the body; `/early` before it has come, `/late` after a while.

    `/headers` with the names of the headers when the body has come; `/slowly` in two pieces, with a while between them.
    """
    read = 0
    if scope["path"] == "/late":
        await asyncio.sleep(3 * Impatient.headers_seconds)
    more_body = scope["path"] != "/early"
    while more_body:
        message = await receive()
        read += len(message.get("body", b""))
        more_body = message.get("more_body", False)
    body = b",".join(name for name, _ in scope["headers"]) if scope["path"] == "/headers" else b"%d" % read
    if scope["path"] == "/slowly":
        body = b"first second"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    if scope["path"] == "/slowly":
        await send({"type": "http.response.body", "body": b"first ", "more_body": True})
        await asyncio.sleep(Impatient.headers_seconds)
        body = b"second"
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def connection(
    protocol: type[PatientProtocol] = Impatient,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server that speaks it."""
    config = uvicorn.Config(_application, log_config=None, lifespan="off", **protocol_settings())
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        async with asyncio.timeout(LONG_SECONDS):
            yield reader, writer
    finally:
        writer.close()
        server.close()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """The body of the next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return await reader.readexactly(int(length.split(b":")[1]))


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ([], "it says nothing"),
        ([b"\r\n"], "it says nothing that begins a request"),
        ([b"GET / HTTP/1.1\r\nHost"], "it never ends its headers"),
        ([b"GET / HT", b"TP/1.1\r\n", b"X: 1\r\n", b"Y: 1\r\n", b"Z: 1\r\n"], "it drips"),
        ([REQUEST, b"GET / HTTP/1.1\r\nHost"], "it never ends the headers of its second request"),
        ([REQUEST + b"GET / HTTP/1.1\r\nHost"], "the same, in one piece"),
        ([REQUEST, b"\r\n"], "it says something after an answer that begins no request"),
    ],
)
async def test_a_client_that_sends_no_request_is_cut_off(pieces: list[bytes], why: str) -> None:
    async with connection() as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            if piece.startswith(REQUEST):
                assert await _answer(reader) == b"0", why
            await asyncio.sleep(Impatient.headers_seconds / 5)
        with suppress(ConnectionResetError):
            assert await reader.read() == b"", why


async def test_others_have_all_the_time_they_need() -> None:
    async with connection() as (reader, writer):
        writer.write(REQUEST.replace(b"/", b"/late", 1))
        assert await _answer(reader) == b"0", "an answer may take longer than headers"
        await asyncio.sleep(2 * Impatient.headers_seconds)
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n")
        for letter in (b"a", b"b", b"c"):
            await asyncio.sleep(2 * Impatient.headers_seconds)
            writer.write(letter)
        assert await _answer(reader) == b"3", "so may a pause between two requests, and a body"
        writer.write(b"POST /early HTTP/1.1\r\nContent-Length: 2\r\n\r\n")
        assert await _answer(reader) == b"0"
        for letter in (b"a", b"b"):
            await asyncio.sleep(2 * Impatient.headers_seconds)
            writer.write(letter)
        writer.write(REQUEST)
        assert await _answer(reader) == b"0", "and a body that nobody waits for"


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ([b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"], "one header"),
        ([b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n"], "the address"),
        ([b"GET / HTTP/1.1\r\n", *[b"X: " + b"x" * 1000 + b"\r\n"] * 70, b"\r\n"], "many headers"),
        ([b"GET / HTTP/1.1\r\nX: ", *[b"x" * 50_000] * 40], "one header that never ends"),
        ([REQUEST, b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"], "of the second request"),
    ],
)
async def test_headers_beyond_all_measure_are_refused(pieces: list[bytes], why: str) -> None:
    async with connection(PatientProtocol) as (reader, writer):
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
            if piece == REQUEST:
                assert await _answer(reader) == b"0", why
        with suppress(ConnectionResetError):  # it was cut off while it was still sending
            assert (await reader.readline()).startswith(b"HTTP/1.1 431 "), why


@pytest.mark.parametrize(
    ("request_", "read", "why"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 60_000 + b"\r\n\r\n", b"0", "large headers that sessions may have"),
        (b"POST / HTTP/1.1\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000, b"200000", "a body is no header"),
    ],
)
async def test_what_is_large_and_may_be_is_answered(request_: bytes, read: bytes, why: str) -> None:
    async with connection(PatientProtocol) as (reader, writer):
        for _ in range(2):
            writer.write(request_ + REQUEST)
            assert [await _answer(reader), await _answer(reader)] == [read, b"0"], why


async def test_a_body_that_nobody_waits_for_has_its_time() -> None:
    async with connection() as (reader, writer):
        writer.write(b"POST /early HTTP/1.1\r\nContent-Length: 10\r\n\r\n")
        assert await _answer(reader) == b"0"
        writer.write(b"a")  # ends uvicorn's own wait
        with suppress(ConnectionResetError):
            assert await reader.read() == b""


async def test_trailers_are_no_headers() -> None:
    async with connection(PatientProtocol) as (reader, writer):
        writer.write(b"POST /headers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        await asyncio.sleep(0.05)
        writer.write(b"1\r\na\r\n0\r\nX-Requested-With: dealguard\r\nAuthorization: Bearer x\r\n\r\n" + REQUEST)
        assert await _answer(reader) == b"host,transfer-encoding"
        assert await _answer(reader) == b"0", "the connection goes on"


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ([b"0\r\nX: ", *[b"x" * 50_000] * 40], "one trailer that never ends"),
        ([b"0\r\n", *[b"X: " + b"x" * 1000 + b"\r\n"] * 400], "many trailers"),
        ([b"1;", *[b"x" * 50_000] * 40], "what is said beside the size of a chunk"),
    ],
)
async def test_what_is_no_content_has_its_bound(pieces: list[bytes], why: str) -> None:
    async with connection(PatientProtocol) as (reader, writer):
        writer.write(b"POST /early HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert await _answer(reader) == b"0", why
        with suppress(ConnectionError):  # it is cut off while it is still sending
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            assert await reader.read() == b"", why


async def test_a_body_in_the_smallest_chunks_is_one() -> None:
    async with connection(PatientProtocol) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            writer.write(b"1\r\na\r\n" * 1000)
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        assert await _answer(reader) == b"100000"


@pytest.mark.parametrize(
    ("refused", "why"),
    [(b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", "headers"), (b"no HTTP\r\n\r\n", "no HTTP at all")],
)
async def test_a_refusal_is_never_written_into_another_answer(refused: bytes, why: str) -> None:
    async with connection() as (reader, writer):
        writer.write(b"GET /slowly HTTP/1.1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(refused)
        answer = b""
        with suppress(ConnectionResetError):
            while piece := await reader.read(1000):
                answer += piece
        assert b"first second".startswith(answer), why


class _Stuck(asyncio.Transport):
    """A transport to a client that takes nothing: closing it waits for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.is_closed, self.aborted, self.written = False, asyncio.Event(), b""

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.aborted.set()

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


@pytest.mark.parametrize(
    ("last", "answer", "keep_alive_seconds", "why"),
    [
        (REQUEST, b"HTTP/1.1 200 ", 0, "the next request does not come"),
        (REQUEST.replace(b"Host: x", b"Connection: close"), b"HTTP/1.1 200 ", 15, "it was the last answer"),
        (b"no HTTP\r\n\r\n", b"HTTP/1.1 400 ", 15, "it is refused"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", b"HTTP/1.1 431 ", 15, "its headers are refused"),
    ],
)
async def test_an_answer_that_nobody_takes_is_not_kept_for_ever(
    last: bytes, answer: bytes, keep_alive_seconds: int, why: str
) -> None:
    settings = {**protocol_settings(), "timeout_keep_alive": keep_alive_seconds}
    config = uvicorn.Config(_application, log_config=None, lifespan="off", **settings)
    config.load()
    protocol, transport = Impatient(config, ServerState(), {}), _Stuck()
    protocol.connection_made(transport)
    async with asyncio.timeout(LONG_SECONDS):
        if keep_alive_seconds:  # a first one, after which nothing waits for the headers of the next
            protocol.data_received(REQUEST)
            while not transport.written.endswith(b"\r\n\r\n0"):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            transport.written = b""
        protocol.data_received(last)
        await transport.aborted.wait()
    assert transport.is_closed, "it had its time"
    assert transport.written.startswith(answer), why
    protocol.connection_lost(None)


def test_answers_say_the_time() -> None:
    assert protocol_settings()["date_header"], "the page corrects its clock by it"
