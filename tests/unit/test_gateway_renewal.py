"""Sessions whose token is renewed on the way of a request."""

import asyncio
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dealguard_gateway.access.oidc import Oidc
from dealguard_gateway.access.sessions import SessionCredentials, Sessions
from dealguard_gateway.http.middleware import middleware
from dealguard_gateway.http.session_renewal import SessionRenewal
from dealguard_gateway.problems import Problem
from tests.standins.oidc import OidcIssuer
from tests.unit.gateway_settings import settings

PAGE = "http://127.0.0.1:1"


@dataclass
class Scene:
    """An issuer, and an application that says which token it was asked with."""

    issuer: OidcIssuer
    sessions: Sessions
    mode: str
    browser: httpx2.AsyncClient

    def begin(self, *, token_seconds: float, refresh_token: str = "first", hours: float = 1.0) -> None:
        """A session whose token ends in `token_seconds`."""
        now = time.time()
        session = SessionCredentials(
            username="1" if self.mode == "cluster" else "oidc:1", token="old" if self.mode == "cluster" else None,
            refresh_token=refresh_token,
            token_expires_at=now + token_seconds, expires_at=now + hours * 3600,
        )  # fmt: skip
        self.issuer.state.refresh_tokens["first"] = {"sub": "1"}
        for cookie in self.sessions.login(session, {}):
            name, value = cookie.split(";")[0].split("=", 1)
            self.browser.cookies.set(name, value)

    @property
    def renewals(self) -> int:
        """How often the issuer was asked for new tokens."""
        return self.issuer.state.requests.count("POST /token")


@pytest.fixture
def mode(request: pytest.FixtureRequest) -> str:
    """Who judges the issuer's tokens: `cluster`, unless a test says otherwise."""
    return str(getattr(request, "param", "cluster"))


@pytest.fixture
def scene(mode: str) -> Iterator[Scene]:
    """The scene of a test."""
    with OidcIssuer(f"{PAGE}/session/oidc/callback") as issuer:
        chosen = settings(
            OIDC_ISSUER=issuer.url, OIDC_CLIENT_ID="dealguard", PUBLIC_URL=PAGE, INSECURE_COOKIES="true",
            OIDC_MODE=mode, OIDC_USERNAME_CLAIM="sub",
        )  # fmt: skip
        sessions = Sessions(chosen)

        async def whoami(request: Request) -> Response:
            try:
                session = sessions.credentials_from_cookies(request.headers)
            except Problem as problem:
                return JSONResponse({"problem": problem.word}, status_code=problem.status)
            token = session.token if session else None
            ends = session.token_expires_at if session else None
            return JSONResponse({"token": token and hashlib.sha256(token.encode()).hexdigest(), "ends": ends})

        async def logout(request: Request) -> Response:
            response = Response(status_code=204)
            for cookie in sessions.logout(request.headers):
                response.headers.append("set-cookie", cookie)
            return response

        routes = [Route("/whoami", whoami), Route("/session", logout, methods=["DELETE"])]
        *stack, renewal = middleware(chosen, sessions, Oidc(chosen))
        assert renewal.cls is SessionRenewal
        stack.append(Middleware(SessionRenewal, **{**renewal.kwargs, "retry_seconds": 0.0}))
        application = Starlette(routes=routes, middleware=stack)
        transport = httpx2.ASGITransport(application)
        yield Scene(issuer, sessions, mode, httpx2.AsyncClient(transport=transport, base_url=PAGE))


OLD = hashlib.sha256(b"old").hexdigest()


async def test_a_token_about_to_end_is_renewed_and_the_request_goes_on_with_the_new_one(scene: Scene) -> None:
    scene.begin(token_seconds=30)
    first = await scene.browser.get("/whoami")
    assert first.status_code == 200
    assert first.json()["token"] != OLD
    assert "HttpOnly" in first.headers["set-cookie"]
    second = await scene.browser.get("/whoami")
    assert second.json() == first.json(), "the browser has the new one"
    assert "set-cookie" not in second.headers
    assert scene.renewals == 1


@pytest.mark.parametrize(
    ("times", "expected", "renewals", "why"),
    [
        ({"token_seconds": 300}, OLD, 0, "there is time"),
        ({"token_seconds": -100}, "new", 1, "a laptop was closed meanwhile"),
        ({"token_seconds": 30, "refresh_token": "used"}, OLD, 1, "refused, but the token still lives"),
        ({"token_seconds": -1, "refresh_token": "used"}, "session-expired", 1, "refused, and it is over"),
        ({"token_seconds": -1, "hours": -1}, "session-expired", 0, "its lifetime is over"),
    ],
)
async def test_when_a_session_goes_on(
    scene: Scene, times: dict[str, float], expected: str, renewals: int, why: str
) -> None:
    scene.begin(**times)  # type: ignore[arg-type]
    answer = (await scene.browser.get("/whoami")).json()
    found = answer.get("problem") or ("new" if answer["token"] not in (OLD, None) else answer["token"])
    assert found == expected, why
    assert scene.renewals == renewals


async def test_requests_at_the_same_time_share_one_renewal(scene: Scene) -> None:
    scene.begin(token_seconds=30)
    answers = await asyncio.gather(*(scene.browser.get("/whoami") for _ in range(20)))
    assert scene.renewals == 1, "a refresh token is good once"
    assert len({answer.json()["token"] for answer in answers}) == 1
    assert answers[0].json()["token"] != OLD


@pytest.mark.parametrize("mode", ["cluster", "impersonate"], indirect=True)
@pytest.mark.parametrize("rotates", [True, False])
async def test_a_session_is_renewed_again_and_again(scene: Scene, *, rotates: bool) -> None:
    scene.issuer.state.rotates_refresh_tokens = rotates
    scene.issuer.state.token_seconds = 30.0
    scene.begin(token_seconds=20)
    expiries = []
    for number in range(1, 4):
        # An identity token says when it ends in whole seconds.
        scene.issuer.state.token_seconds += 1
        expiries.append((await scene.browser.get("/whoami")).json()["ends"])
        assert scene.renewals == number, "each of its tokens is about to end"
    assert expiries == sorted(set(expiries))


async def test_an_old_cookie_leads_to_the_latest_tokens(scene: Scene) -> None:
    scene.issuer.state.token_seconds = 30.0
    scene.begin(token_seconds=20)
    old = dict(scene.browser.cookies)
    await scene.browser.get("/whoami")
    scene.issuer.state.token_seconds = 300.0
    latest = (await scene.browser.get("/whoami")).json()
    scene.browser.cookies.clear()
    scene.browser.cookies.update(old)
    assert (await scene.browser.get("/whoami")).json() == latest, "it goes on with what others of it were given"
    scene.browser.cookies.clear()
    scene.browser.cookies.update(old)
    assert (await scene.browser.get("/whoami")).json() == latest
    assert scene.renewals == 2
    assert not scene.issuer.state.refusals, "no refresh token was used twice"


async def test_an_old_cookie_goes_on_with_what_is_known_while_the_issuer_is_away(scene: Scene) -> None:
    scene.issuer.state.token_seconds = 30.0
    scene.begin(token_seconds=-20)
    old = dict(scene.browser.cookies)
    first = (await scene.browser.get("/whoami")).json()
    scene.issuer.state.faults.add("token endpoint down")
    for _ in range(2):
        scene.browser.cookies.clear()
        scene.browser.cookies.update(old)
        assert (await scene.browser.get("/whoami")).json() == first
    scene.issuer.state.faults.clear()
    scene.issuer.state.token_seconds = 300.0
    later = (await scene.browser.get("/whoami")).json()
    assert later["ends"] > first["ends"], "and with the next ones when it is back"


async def test_an_issuer_that_is_away_ends_no_session_early(scene: Scene) -> None:
    scene.issuer.state.faults.add("token endpoint down")
    scene.begin(token_seconds=30)
    assert (await scene.browser.get("/whoami")).json()["token"] == OLD
    scene.issuer.state.faults.clear()
    assert (await scene.browser.get("/whoami")).json()["token"] != OLD


async def test_a_logout_stays_one(scene: Scene) -> None:
    scene.begin(token_seconds=30)
    headers = {"X-Requested-With": "dealguard", "Origin": PAGE}
    answer = await scene.browser.delete("/session", headers=headers)
    assert answer.status_code == 204
    cookies = answer.headers.get_list("set-cookie")
    assert cookies
    assert all("Max-Age=0" in cookie for cookie in cookies), "no new session comes along"


async def test_who_sends_a_token_needs_no_cookie(scene: Scene) -> None:
    scene.begin(token_seconds=30)
    await scene.browser.get("/whoami", headers={"Authorization": "Bearer x"})
    assert scene.renewals == 0
