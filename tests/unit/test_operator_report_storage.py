"""The object storage when it does not do its part. That it does: tests/cluster/test_operator_storage.py."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import pytest

from dealguard_operator.errors import SettingsError, StorageUnavailableError
from dealguard_operator.report_storage import ReportStorage, tls_context
from dealguard_operator.reuse import Reuse
from tests.unit.operator_cases import analysis, at, completed, settings

AWAY = "The object storage does not answer."


class Server:
    """Answers every request with `status` and `body`, and counts them."""

    def __init__(self) -> None:
        self.status, self.body, self.requests = 503, "", 0
        this = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                this.requests += 1
                self.send_response(this.status)
                content = this.body.encode()
                self.send_header("Content-Type", "application/xml")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_HEAD = do_PUT = do_DELETE = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def says(self, status: int, code: str = "") -> None:
        """What it answers from now on."""
        self.status, self.body = status, f"<Error><Code>{code}</Code></Error>" if code else ""

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


class Clock:
    """A clock that the test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def storage(server: Server, clock: Clock) -> AsyncIterator[ReportStorage]:
    storage = ReportStorage(settings(S3_ENDPOINT=server.endpoint), clock=clock)
    yield storage
    await storage.close()


async def refused(request: Callable[[], object]) -> StorageUnavailableError:
    with pytest.raises(StorageUnavailableError) as caught:
        await request()  # type: ignore[misc]
    return caught.value


async def test_while_it_is_away_one_request_at_a_time_looks_for_it(
    server: Server, storage: ReportStorage, clock: Clock
) -> None:
    error = await refused(lambda: storage.read("a", 10))
    assert (error.message, error.retry_after_seconds, server.requests) == (AWAY, 1.0, 1)
    clock.now += 0.5
    error = await refused(lambda: storage.read("b", 10))
    assert (error.message, error.retry_after_seconds, server.requests) == (AWAY, 0.5, 1)
    clock.now += 1
    answers = await asyncio.gather(*(storage.read(key, 10) for key in "abcdefgh"), return_exceptions=True)
    assert all(isinstance(answer, StorageUnavailableError) for answer in answers)
    assert server.requests == 2
    clock.now += 10
    server.says(404, "NoSuchKey")
    assert await storage.read("a", 10) is None
    assert await asyncio.gather(*(storage.read(key, 10) for key in "abcd")) == [None] * 4
    assert server.requests == 7


async def test_a_port_that_nobody_listens_on_is_an_absence(server: Server, clock: Clock) -> None:
    server.close()
    storage = ReportStorage(settings(S3_ENDPOINT=server.endpoint), clock=clock)
    assert (await refused(lambda: storage.find("a"))).message == AWAY
    await storage.close()


@pytest.mark.parametrize(
    ("why", "status", "code", "words"),
    [
        ("no bucket", 404, "NoSuchBucket", "correct the installation's bucket name"),
        ("no rights", 403, "AccessDenied", "its access key must be allowed to list, read and write"),
        ("another key", 403, "InvalidAccessKeyId", "its access key must be allowed"),
        ("a wrong clock", 403, "RequestTimeTooSkewed", "clocks differ too much"),
        ("nothing known", 418, "Teapot", "an unexpected answer (HTTP 418)"),
    ],
)
async def test_a_refusal_says_what_to_do_and_keeps_nobody_else_waiting(
    why: str, status: int, code: str, words: str, server: Server, storage: ReportStorage
) -> None:
    server.says(status, code)
    error = await refused(lambda: storage.read("a", 10))
    assert words in error.message, why
    assert "127.0.0.1" not in error.message
    server.says(404, "NoSuchKey")
    assert await storage.read("another", 10) is None, "it is there, and may answer others"


async def test_something_else_at_the_endpoint_is_named(server: Server, storage: ReportStorage) -> None:
    server.status, server.body = 404, "<html><p>Welcome"
    assert "check the installation's endpoint" in (await refused(lambda: storage.read("a", 10))).message


_NGINX = "<html>\r\n<head><title>Sorry</title></head>\r\n<body><hr><center>nginx</center>\r\n</body>\r\n</html>"


@pytest.mark.parametrize("page", [_NGINX, "<html><p>no end", "upstream connect error", "\x00"])
@pytest.mark.parametrize(
    ("status", "words"),
    [(429, AWAY), (502, AWAY), (503, AWAY), (403, "refuses the operator (HTTP 403)"), (418, "(HTTP 418)")],
)
async def test_a_balancers_page_says_no_more_than_its_status(
    status: int, words: str, page: str, server: Server, storage: ReportStorage
) -> None:
    server.status, server.body = status, page
    assert words in (await refused(lambda: storage.read("a", 10))).message


async def test_a_refusals_page_is_not_read_to_its_end(server: Server, storage: ReportStorage) -> None:
    """What is cut off after 64 KiB is not S3's."""
    for kib, words in ((60, "bucket name"), (70, "check the installation's endpoint")):
        server.says(404, "NoSuchBucket")
        server.body = f"<!--{'x' * 1024 * kib}-->{server.body}"
        assert words in (await refused(lambda: storage.read("a", 10))).message


@pytest.mark.parametrize("content", [None, b"no certificate"], ids=["no file", "no certificate"])
async def test_a_file_without_certificates_is_told_at_the_start_if_it_matters(
    content: bytes | None, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(SettingsError, match="cannot start: SSL_CERT_FILE"):
        ReportStorage(settings(S3_ENDPOINT="https://s3.example.com"))
    storage = ReportStorage(settings(S3_ENDPOINT=server.endpoint))
    server.says(404, "NoSuchKey")
    assert await storage.read("a", 10) is None, "without TLS nobody asks for it"
    await storage.close()


def test_the_trusted_certificates_are_read_once() -> None:
    chosen = settings(S3_ENDPOINT="https://s3.example.com")
    assert tls_context(chosen) is tls_context(chosen) is not None
    assert tls_context(settings(S3_ENDPOINT="http://s3.example.com")) is None


@pytest.mark.parametrize("status", [400, 404, 414])
async def test_a_key_that_the_storage_cannot_have_is_not_there(
    status: int, server: Server, storage: ReportStorage
) -> None:
    server.says(status)
    assert await storage.find("documents/acme/" + "x" * 900) is None
    assert await storage.find("documents/acme/lease.pdf") is None


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_storage_that_is_overloaded_is_left_alone(status: int, server: Server, storage: ReportStorage) -> None:
    server.says(status, "SlowDown")
    assert (await refused(lambda: storage.write("a", b"x"))).message == AWAY
    assert (await refused(lambda: storage.remove("a"))).message == AWAY
    assert server.requests == 1


async def test_what_is_larger_than_expected_is_not_read(server: Server, storage: ReportStorage) -> None:
    server.says(200, "x" * 100)
    assert await storage.read("a", 50) is None
    assert await storage.read("a", 500) == server.body.encode()


async def test_thousands_that_wait_do_not_all_ask_and_are_called_when_it_is_back(server: Server) -> None:
    chosen = settings(S3_ENDPOINT=server.endpoint)
    reuse = Reuse(ReportStorage(chosen), chosen, now=lambda: at(0))
    waiting = [replace(analysis(), uid=f"uid-{number}") for number in range(400)]
    lookups = [await reuse.look_up(one) for one in waiting]
    assert {lookup.unavailable for lookup in lookups} == {AWAY}
    assert server.requests == 1
    assert lookups[-1].retry_at == at(20), "400 ask in 20 s, so 20 in each"
    assert reuse.called_back() == {one.uid for one in waiting}
    assert reuse.called_back() == set()
    await reuse.close()


async def test_of_what_is_gone_nothing_is_noted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dealguard_operator.reuse._RETRIES_SECONDS", (0.1,) * 20)
    chosen = settings(S3_ENDPOINT=server.endpoint)
    this = analysis(completed())
    for is_gone in (False, True):
        reuse = Reuse(ReportStorage(chosen, clock=count(0, 1000).__next__), chosen)  # it is asked each time
        server.says(503)
        await reuse.remember(this, this.status, reuse.note_for_job(this, None))
        if is_gone:
            reuse.forget(this.uid)
        asked = server.requests
        server.says(404, "NoSuchKey")
        await asyncio.sleep(0.5)
        assert (server.requests > asked) is not is_gone
        await reuse.close()


async def test_what_a_slow_storage_says_is_as_good_as_what_a_quick_one_says(server: Server) -> None:
    """Else it would be too old when it comes, and be asked for again for ever."""
    chosen = settings(S3_ENDPOINT=server.endpoint)
    server.says(404, "NoSuchKey")
    times = iter(range(0, 1000, 30))
    reuse = Reuse(ReportStorage(chosen), chosen, now=lambda: at(next(times) if server.requests else -30))
    lookup = await reuse.look_up(analysis())
    assert lookup.at is not None
    assert lookup.at >= at(0), "when it was answered, not when it was asked"
    await reuse.close()
