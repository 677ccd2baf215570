"""What holds for every answer of the gateway: headers, the guard against other sites, limits, files."""

from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from dealguard_gateway.access.callers import Caller
from dealguard_gateway.access.sessions import Sessions
from dealguard_gateway.app import create_routes
from dealguard_gateway.http.limits import RateLimits, TokenBuckets, network_of
from dealguard_gateway.http.middleware import middleware
from dealguard_gateway.http.static_folder import StaticFolder
from dealguard_gateway.http.streams import Streams
from dealguard_gateway.metrics import Metrics
from dealguard_gateway.problems import NotFoundProblem, TooManyProblem, UnavailableProblem
from dealguard_gateway.routes.page import check_page
from dealguard_gateway.settings import GatewaySettings, SettingsError
from tests.unit.gateway_settings import settings

OURS = "https://contracts.example.com"
MARKUP = '<script>alert(1)</script>"><img src=x onerror=alert(1)>.pdf'


async def _json(request: Request) -> Response:
    return JSONResponse({"fileName": MARKUP})


async def _report(request: Request) -> Response:
    headers = {"Content-Security-Policy": "sandbox", "Cache-Control": "private, no-cache"}
    return HTMLResponse("<p>", headers=headers)


def application(chosen: GatewaySettings) -> ASGIApp:
    """Two endpoints behind the real middleware."""
    methods = ["GET", "POST", "DELETE"]
    routes = [
        Route("/contracts", _json, methods=methods),
        Route("/session", _json, methods=methods),
        Route("/report", _report),
    ]
    return Starlette(routes=routes, middleware=middleware(chosen, Sessions(chosen), None))


async def ask(
    method: str, path: str, *, base: str = OURS, chosen: GatewaySettings | None = None, **headers: str
) -> httpx2.Response:
    """One request; names of headers with `_` for `-`."""
    transport = httpx2.ASGITransport(application(chosen or settings(PUBLIC_URL=OURS)))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx2.AsyncClient(transport=transport, base_url=base) as client:
        return await client.request(method, path, headers=named)


async def test_every_answer_says_what_a_browser_must_not_do_with_it() -> None:
    headers = (await ask("GET", "/contracts")).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert not [rule for rule in policy.values() if "unsafe-inline" in rule or "'unsafe-eval'" in rule or "*" in rule]
    assert {name: headers[name] for name in ("x-content-type-options", "x-frame-options", "referrer-policy")} == {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
    }
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["strict-transport-security"] == "max-age=31536000"


async def test_a_route_keeps_the_headers_that_it_sets() -> None:
    headers = (await ask("GET", "/report")).headers
    assert headers.get_list("content-security-policy") == ["sandbox"]
    assert headers.get_list("cache-control") == ["private, no-cache"]
    assert headers["x-content-type-options"] == "nosniff"


async def test_without_tls_nothing_is_promised_about_it() -> None:
    chosen = settings(PUBLIC_URL="http://127.0.0.1:8000", INSECURE_COOKIES="true")
    assert "strict-transport-security" not in (await ask("GET", "/contracts", chosen=chosen)).headers


async def test_markup_in_a_file_name_comes_as_json_that_no_browser_takes_for_a_page() -> None:
    answer = await ask("GET", "/contracts")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["fileName"] == MARKUP


SESSION = "__Host-dealguard=1.abc"
PAGE = {"cookie": SESSION, "x_requested_with": "dealguard", "origin": OURS, "sec_fetch_site": "same-origin"}


def _without(*names: str, **more: str) -> dict[str, str]:
    return {name: value for name, value in {**PAGE, **more}.items() if name not in names}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "why"),
    [
        ("POST", "/contracts", PAGE, 200, "our own page"),
        ("DELETE", "/contracts", PAGE, 200, "our own page"),
        ("POST", "/contracts", _without("sec_fetch_site"), 200, "an older browser sends Origin alone"),
        ("POST", "/contracts", _without("origin"), 200, "the browser itself says: same origin"),
        ("GET", "/contracts", {"cookie": SESSION, "origin": "https://evil.example"}, 200, "reading changes nothing"),
        ("POST", "/contracts", _without("x_requested_with"), 403, "a form can send all but that header"),
        ("POST", "/contracts", _without("origin", "sec_fetch_site"), 403, "no browser leaves out both"),
        ("POST", "/contracts", _without(origin="https://evil.example"), 403, "another site"),
        ("POST", "/contracts", _without("sec_fetch_site", origin="https://evil.example"), 403, "another site"),
        ("POST", "/contracts", _without("sec_fetch_site", origin="null"), 403, "a sandboxed frame"),
        ("POST", "/contracts", _without("sec_fetch_site", origin="http://contracts.example.com"), 403, "without TLS"),
        ("POST", "/contracts", _without("sec_fetch_site", origin=f"{OURS}:8443"), 403, "another port"),
        ("POST", "/contracts", _without("sec_fetch_site", origin="https://contracts.example.com:443"), 200, "the same"),
        ("POST", "/contracts", _without("sec_fetch_site", origin=f"{OURS}.evil.example"), 403, "begins alike"),
        ("POST", "/contracts", _without("sec_fetch_site", origin="https://[::"), 403, "no address at all"),
        ("POST", "/contracts", _without(sec_fetch_site="same-site"), 403, "a neighbour's subdomain"),
        ("POST", "/contracts", _without(sec_fetch_site="cross-site"), 403, "another site"),
        ("POST", "/contracts", _without(sec_fetch_site="none"), 403, "no page sent it"),
        ("POST", "/contracts", {"authorization": "Bearer x", "origin": "https://a.example"}, 200, "no cookie decides"),
        ("POST", "/contracts", {"authorization": "bearer x", "cookie": SESSION}, 200, "the token decides"),
        ("POST", "/contracts", {"authorization": "Basic eDp5", "cookie": SESSION}, 403, "browsers send those alone"),
        ("POST", "/contracts", {}, 200, "nobody: refused by the login, not here"),
        ("POST", "/contracts", {"cookie": "theme=dark"}, 200, "not our cookie"),
        ("POST", "/contracts", {"cookie": "__Host-dealguard-1=x"}, 403, "a part of the cookie"),
        ("POST", "/session", {}, 403, "a login as somebody else"),
        ("POST", "/session", {"authorization": "Bearer x"}, 403, "the login asks for no token in a header"),
        ("POST", "/session/", {}, 403, "the same path"),
        ("POST", "/session", _without("cookie"), 200, "the login of our own page"),
        ("DELETE", "/session", {"cookie": SESSION}, 403, "a logout that another site wants"),
    ],
)
async def test_another_site_cannot_act_with_a_persons_cookie(
    method: str, path: str, headers: dict[str, str], status: int, why: str
) -> None:
    answer = await ask(method, path, **headers)
    assert (answer.status_code == 403) == (status == 403), why
    if status == 403:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:dealguard:problem:cross-site-request"
        assert "x-content-type-options" in answer.headers


@pytest.mark.parametrize(
    ("base", "origin", "is_ours", "why"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", True, "as the request says"),
        ("http://127.0.0.1:8000", "http://localhost:8000", False, "another name is another origin"),
        ("http://contracts.example.com", "https://contracts.example.com", True, "a proxy has ended TLS"),
        ("http://contracts.example.com", "http://contracts.example.com:80", True, "the port that http means"),
    ],
)
async def test_without_a_public_address_the_requests_own_counts(
    base: str, origin: str, is_ours: bool, why: str
) -> None:
    chosen = settings(INSECURE_COOKIES="true")
    answer = await ask(
        "POST",
        "/contracts",
        base=base,
        chosen=chosen,
        cookie="dealguard=1.x",
        x_requested_with="dealguard",
        origin=origin,
    )
    assert (answer.status_code == 200) == is_ours, why


async def test_other_origins_get_the_api_without_cookies_and_only_if_listed() -> None:
    chosen = settings(PUBLIC_URL=OURS, ALLOWED_ORIGINS="https://app.example.com")
    for origin, allowed in (("https://app.example.com", "https://app.example.com"), ("https://evil.example", None)):
        answer = await ask("GET", "/contracts", chosen=chosen, origin=origin, authorization="Bearer x")
        assert answer.headers.get("access-control-allow-origin") == allowed
        assert "access-control-allow-credentials" not in answer.headers
    preflight = await ask(
        "OPTIONS", "/contracts", chosen=chosen, origin="https://app.example.com",
        access_control_request_method="POST", access_control_request_headers="authorization,idempotency-key",
    )  # fmt: skip
    assert preflight.status_code == 200
    preflight = await ask(
        "OPTIONS", "/contracts", chosen=chosen, origin="https://app.example.com",
        access_control_request_method="POST", access_control_request_headers="x-requested-with",
    )  # fmt: skip
    assert preflight.status_code == 400, "the header that proves our own page is nobody else's to send"
    assert (
        "access-control-allow-origin" not in (await ask("GET", "/contracts", origin="https://app.example.com")).headers
    )


class Clock:
    """Time that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_a_bucket_gives_a_burst_then_a_rate() -> None:
    clock = Clock()
    buckets = TokenBuckets(2.0, 3.0, clock=clock)
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b") == 0, "each key has a bucket of its own"
    clock.now += 0.5
    assert [buckets.take("a") for _ in range(2)] == [0, 0.5]
    clock.now += 3600
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5], "it never holds more than a burst"


def test_only_so_many_buckets_are_kept() -> None:
    buckets = TokenBuckets(1.0, 1.0, max_keys=10, clock=Clock())
    for number in range(1000):
        buckets.take(str(number))
    assert len(buckets) == 10


def test_a_user_has_a_share_of_requests_and_one_of_uploads() -> None:
    clock = Clock()
    limits = RateLimits(settings(REQUESTS_PER_SECOND="2", UPLOADS_PER_MINUTE="3"), clock=clock)
    anna, ben = Caller("anna"), Caller("ben")
    for _ in range(20):
        limits.take_request(anna)
    with pytest.raises(TooManyProblem) as refused:
        limits.take_request(anna)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "1")
    limits.take_request(ben)
    for _ in range(3):
        limits.take_upload(anna)
    with pytest.raises(TooManyProblem) as refused:
        limits.take_upload(anna)
    assert refused.value.headers["Retry-After"] == "20"
    assert "Wait 20 s" in refused.value.detail
    clock.now += 20
    limits.take_upload(anna)


def test_an_address_that_guesses_is_stopped_but_its_neighbours_are_not() -> None:
    clock = Clock()
    limits = RateLimits(settings(), clock=clock)
    limits.remember({"authorization": "Bearer good"})
    for _ in range(100):
        limits.check_stranger("10.0.0.1", {"authorization": "Bearer guessed"})
        limits.count_failure("10.0.0.1")
    with pytest.raises(TooManyProblem):
        limits.check_stranger("10.0.0.1", {"authorization": "Bearer another guess"})
    limits.check_stranger("10.0.0.1", {"authorization": "Bearer good"})
    limits.check_stranger("10.0.0.2", {"authorization": "Bearer guessed"})
    clock.now += 1
    limits.check_stranger("10.0.0.1", {"authorization": "Bearer another guess"})


def test_failed_logins_are_limited_more_tightly() -> None:
    clock = Clock()
    limits = RateLimits(settings(), clock=clock)
    for _ in range(10):
        limits.check_login("10.0.0.1")
        limits.count_failed_login("10.0.0.1")
    with pytest.raises(TooManyProblem) as refused:
        limits.check_login("10.0.0.1")
    assert refused.value.headers["Retry-After"] == "12"
    limits.check_stranger("10.0.0.1", {})


@pytest.mark.parametrize(
    ("address", "network", "why"),
    [
        ("192.0.2.7", "192.0.2.7", "one address"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "a client has all of its network"),
        ("::ffff:192.0.2.7", "192.0.2.7", "the same one, as a dual-stack socket says it"),
        ("", "", "a socket file has none"),
    ],
)
def test_what_counts_as_one_address(address: str, network: str, why: str) -> None:
    assert network_of(address) == network, why


@pytest.fixture
def folder(tmp_path: Path) -> StaticFolder:
    """A folder with files to serve, and some not to."""
    (tmp_path / "outside.js").write_text("secret")
    root = tmp_path / "page"
    (root / "deep").mkdir(parents=True)
    for name in ("index.html", "deep/main.mjs", "a.wasm", "b.bcmap", "c.ftl", ".hidden.js", "notes.txt~", "x.py"):
        (root / name).write_text(name)
    return StaticFolder.read(root)


def _request(**headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": named})


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("deep/main.mjs", "text/javascript; charset=utf-8"),
        ("a.wasm", "application/wasm"),
        ("b.bcmap", "application/octet-stream"),
        ("c.ftl", "text/plain; charset=utf-8"),
    ],
)
def test_a_file_has_the_type_that_browsers_insist_on(folder: StaticFolder, path: str, media_type: str) -> None:
    answer = folder.answer(path, _request())
    assert (answer.status_code, answer.headers["content-type"], bytes(answer.body)) == (200, media_type, path.encode())
    again = folder.answer(path, _request(if_none_match=answer.headers["etag"]))
    assert (again.status_code, bytes(again.body)) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["", "deep", "deep/", "../outside.js", "..%2foutside.js", "/etc/passwd", "deep/../index.html", ".hidden.js",
     "x.py", "notes.txt~", "index.html\0", "./index.html"],
)  # fmt: skip
def test_nothing_else_is_served(folder: StaticFolder, path: str) -> None:
    with pytest.raises(NotFoundProblem):
        folder.answer(path, _request())


def test_a_gateway_without_pdfjs_says_so_at_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"PDF\.js is missing in .* DEALGUARD_PDFJS_FOLDER"):
        check_page(settings(PDFJS_FOLDER=str(tmp_path)))


@pytest.mark.parametrize(
    ("path", "status", "media_type", "why"),
    [
        ("/", 200, "text/html; charset=utf-8", "the page"),
        ("/page/icon.svg", 200, "image/svg+xml", "a file of it"),
        ("/pdfjs/build/pdf.min.mjs", 200, "text/javascript; charset=utf-8", "a module, or browsers refuse it"),
        ("/page/", 404, "application/problem+json", "no list of files"),
        ("/pdfjs/cmaps/", 404, "application/problem+json", "no list of files"),
        ("/page/../settings.py", 404, "application/problem+json", "nothing beside it"),
        ("/page/%2e%2e/settings.py", 404, "application/problem+json", "nothing beside it, encoded"),
        ("/page/..%2f..%2fsettings.py", 404, "application/problem+json", "nothing beside it, encoded"),
        ("/pdfjs/%2fetc/passwd", 404, "application/problem+json", "no other place"),
    ],
)
async def test_the_page_is_served_and_nothing_else(
    tmp_path: Path, path: str, status: int, media_type: str, why: str
) -> None:
    for name in ("build/pdf.min.mjs", "build/pdf.worker.min.mjs", "cmaps/a.bcmap"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("export {}")
    application = create_routes()
    application.state.services = SimpleNamespace(settings=settings(PDFJS_FOLDER=str(tmp_path)))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(application), base_url=OURS) as client:
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, media_type), why
        if status == 200:
            again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
            assert again.status_code == 304
            head = await client.head(path)
            assert (head.status_code, head.content) == (200, b"")


def test_streams_have_a_number_for_each_user_and_one_for_all() -> None:
    streams = Streams(Metrics())
    ann, bob = Caller("ann"), Caller("bob")
    with ExitStack() as stack:
        for _ in range(100):
            streams.check(ann)
            stack.enter_context(streams.place(ann))
        with pytest.raises(TooManyProblem) as share:
            streams.check(ann)
        assert (share.value.word, share.value.status) == ("too-many-streams", 429)
        assert int(share.value.headers["Retry-After"]) > 0
        for number in range(1900):
            streams.check(bob)
            stack.enter_context(streams.place(Caller(f"user-{number}")))
        with pytest.raises(UnavailableProblem) as full:
            streams.check(bob)
        assert (full.value.word, full.value.status) == ("no-streams", 503)
        assert int(full.value.headers["Retry-After"]) > 0
    for who in (ann, bob):
        streams.check(who)  # all have ended


def test_no_stream_begins_when_the_process_ends() -> None:
    streams = Streams(Metrics())
    streams.close()
    with pytest.raises(UnavailableProblem) as caught:
        streams.check(Caller("ann"))
    assert caught.value.word == "no-streams"
