"""The poll, which is answered before the router: the same answers, counts and rights as by way of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from dealguard_gateway.access.sessions import SessionCredentials
from dealguard_gateway.routes.polls import Polls
from tests.unit.gateway_fakes import FakeGateway, analysis, fake_gateway
from tests.unit.test_gateway_contracts import RESULT

KEY = Fernet.generate_key().decode()
ETAG = '"acme-lea-7"'
ORIGIN = "https://app.example.com"


@dataclass(frozen=True)
class Case:
    """Polls of one kind.

    Args:
        why: what is special about them.
        statuses: of the answers, one after the other.
        path: asked for.
        token: sent as a bearer token; None: none.
        headers: sent besides.
        cookie_token: whose session comes as a cookie.
        settings: of the installation.
        prepare: done with the gateway before.
        has: headers of the last answer.
    """

    why: str
    statuses: tuple[int, ...]
    path: str = "/contracts/acme.lease"
    token: str | None = "own-token"
    headers: dict[str, str] = field(default_factory=dict)
    cookie_token: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[FakeGateway], None] = lambda _: None
    has: dict[str, str | None] = field(default_factory=dict)


def _finish(gateway: FakeGateway) -> None:
    gateway.store.put(analysis(version=8, status={"phase": "Completed", "result": RESULT}))


def _delete(gateway: FakeGateway) -> None:
    gateway.store.remove(analysis(version=9))


def _lose_api_server(gateway: FakeGateway) -> None:
    gateway.kubernetes.is_away = True


CASES = [
    Case("one's own", (200, 200), has={"etag": ETAG, "retry-after": "3", "vary": "Authorization, Cookie"}),
    Case("somebody else's", (404,), token="other-token"),
    Case("of one without rights", (404,), token="nobody-token"),
    Case("none", (404,), path="/contracts/acme.gone"),
    Case("no id", (404,), path="/contracts/!"),
    Case("no id, and nothing after it", (404,), path="/contracts/"),
    Case("an id, and a slash after it", (404,), path="/contracts/acme.lease/"),
    Case("an id with an encoded slash in it", (404,), path="/contracts/acme%2Flease"),
    Case("an encoded id", (200,), path="/contracts/acme%2Elease"),
    Case("a query, which says nothing", (200,), path="/contracts/acme.lease?x=1"),
    Case("nobody", (401,), token=None, has={"www-authenticate": "Bearer"}),
    Case("a token that has ended", (401,), token="ended-token"),
    Case("a token that is none", (401,), token="with space"),
    Case("another way to log in", (401,), token=None, headers={"Authorization": "Basic eDp5"}),
    Case("known", (304,), headers={"If-None-Match": ETAG}, has={"etag": ETAG, "retry-after": "3"}),
    Case("known among others", (304,), headers={"If-None-Match": f'"x", W/{ETAG}'}),
    Case("known in another version", (200,), headers={"If-None-Match": '"x"'}),
    Case("finished", (200,), prepare=_finish, has={"retry-after": None}),
    Case("deleted", (404,), prepare=_delete),
    Case("the API server is away", (503,), prepare=_lose_api_server, has={"retry-after": "3"}),
    Case("too many", (200, 429), settings={"requests_per_second": 0.1}, has={"retry-after": "10"}),
    Case("old", (200,), settings={"is_synced": False}, has={"x-dealguard-stale-seconds": "unknown"}),
    Case("a namespace that is not served", (404,), settings={"namespaces": ("initech",)}, prepare=_delete),
    Case("a request's own id", (200,), headers={"X-Request-Id": "from-a-proxy"}, has={"x-request-id": "from-a-proxy"}),
    Case("another origin", (200,), headers={"Origin": ORIGIN}, has={"access-control-allow-origin": None}),
    Case(
        "an origin that is allowed",
        (200,),
        headers={"Origin": ORIGIN},
        settings={"allowed_origins": (ORIGIN,)},
        has={"access-control-allow-origin": ORIGIN, "vary": "Authorization, Cookie, Origin"},
    ),
    Case("no origin, where some are allowed", (200,), settings={"allowed_origins": (ORIGIN,)}),
    Case("by https", (200,), settings={"public_url": "https://contracts.example.com"}),
    Case("by cookie", (200, 200), token=None, cookie_token="own-token"),
    Case("by the cookie of somebody else", (404,), token=None, cookie_token="other-token"),
    Case("by the cookie of a token that was revoked", (401,), token=None, cookie_token="ended-token"),
    Case("by cookie, with a token that counts", (404,), token="other-token", cookie_token="own-token"),
]


async def _asked(case: Case, method: str, *, by_router: bool) -> tuple[list[httpx.Response], list[str], FakeGateway]:
    """The answers, what was counted of them, and the gateway."""
    gateway = fake_gateway(session_keys=(KEY,), **case.settings)
    if by_router:
        gateway.app.user_middleware = [each for each in gateway.app.user_middleware if each.cls != Polls]
    gateway.store.put(analysis(version=7, status={"phase": "Processing"}))
    case.prepare(gateway)
    services = gateway.app.state.services
    headers = dict(case.headers)
    if case.cookie_token:
        session = SessionCredentials(username="x", token=case.cookie_token, expires_at=4e9)
        headers["Cookie"] = services.sessions.cookie_header(session)
    async with gateway.client(case.token) as client:
        answers = [await client.request(method, case.path, headers=headers) for _ in case.statuses]
    figures = services.metrics.render().decode().splitlines()
    return answers, [line for line in figures if "request_duration_seconds_count" in line], gateway


def _shown(answer: httpx.Response, case: Case) -> tuple[int, list[tuple[str, str]], bytes]:
    counted = set() if "X-Request-Id" in case.headers else {"x-request-id"}
    headers = sorted((name, value) for name, value in answer.headers.multi_items() if name not in counted)
    assert answer.headers["x-request-id"]
    return answer.status_code, headers, answer.content


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
async def test_a_poll_is_answered_as_the_router_would(case: Case) -> None:
    answers, counted, gateway = await _asked(case, "GET", by_router=False)
    expected, expected_counts, other = await _asked(case, "GET", by_router=True)
    assert tuple(answer.status_code for answer in answers) == case.statuses
    assert [_shown(answer, case) for answer in answers] == [_shown(answer, case) for answer in expected]
    assert {name: answers[-1].headers.get(name) for name in case.has} == case.has
    assert counted == expected_counts
    assert gateway.kubernetes.asked == other.kubernetes.asked
    if answers[-1].status_code >= 400:
        assert answers[-1].headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
async def test_head_is_answered_as_get_is(case: Case) -> None:
    answers, counted, _ = await _asked(case, "HEAD", by_router=False)
    expected, expected_counts, _ = await _asked(case, "GET", by_router=False)
    if case.path.endswith("/") or "%2F" in case.path:
        return  # no poll
    assert [_shown(answer, case)[:2] for answer in answers] == [_shown(answer, case)[:2] for answer in expected]
    assert counted == [line.replace('method="GET"', 'method="HEAD"') for line in expected_counts]


async def test_what_is_no_poll_goes_on() -> None:
    gateway = fake_gateway()
    gateway.store.put(analysis())
    async with gateway.client() as client:
        statuses = {
            f"{method} {path}": (await client.request(method, path)).status_code
            for method, path in (("PUT", "/contracts/acme.lease"), ("GET", "/contracts"), ("GET", "/session"))
        }
    assert statuses == {"PUT /contracts/acme.lease": 405, "GET /contracts": 200, "GET /session": 200}
