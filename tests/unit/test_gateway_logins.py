"""Logging in over the API: what counts as a failed login, and what a token of the issuer begins."""

from collections.abc import Iterator

import httpx
import pytest

from tests.standins.oidc import CLIENT_ID, OidcIssuer
from tests.unit.gateway_fakes import FakeGateway, fake_gateway
from tests.unit.gateway_settings import KEY

PAGE = "http://gateway"
CALLBACK = "/session/oidc/callback"
SAME_ORIGIN = {"X-Requested-With": "dealguard", "Origin": PAGE}
# More than an address may fail in a burst.
MANY = 15


@pytest.fixture
def issuer() -> Iterator[OidcIssuer]:
    """The issuer, with this gateway's page registered."""
    with OidcIssuer(f"{PAGE}{CALLBACK}", {"sub": "1", "email": "own", "email_verified": True}) as running:
        yield running


def gateway_of(issuer: OidcIssuer, mode: str = "impersonate") -> FakeGateway:
    """A gateway that people log in to with the issuer or a token."""
    return fake_gateway(
        oidc_issuer=issuer.url, oidc_client_id=CLIENT_ID, oidc_mode=mode, public_url=PAGE, token_login=True,
        session_keys=(KEY,), insecure_cookies=True, oidc_groups_prefix="oidc:",
    )  # fmt: skip


async def come_back(client: httpx.AsyncClient, **changed: str) -> httpx.Response:
    """Begin a login and come back from the issuer; `changed` alters the answer."""
    start = await client.get("/session/oidc/start")
    async with httpx.AsyncClient(trust_env=False, verify=False) as browser:
        back = (await browser.get(start.headers["location"])).headers["location"]
    query = {**dict(httpx.URL(back).params), **changed}
    return await client.get(CALLBACK, params=query)


async def test_who_came_to_no_judgement_uses_up_nobodys_logins(issuer: OidcIssuer) -> None:
    async with gateway_of(issuer).client(None) as client:
        for _ in range(MANY):
            assert (await client.get(CALLBACK, params={"code": "x", "state": "y"})).status_code == 401, "not begun"
        assert (await come_back(client, state="another")).status_code == 401
        for _ in range(MANY):
            start = await client.get("/session/oidc/start")
            state = httpx.URL(start.headers["location"]).params["state"]
            assert (await client.get(CALLBACK, params={"state": state})).status_code == 401, "given up there"
        issuer.state.faults.add("token endpoint down")
        for _ in range(MANY):
            assert (await come_back(client)).status_code == 503, "nobody judged it"
        issuer.state.faults.clear()
        assert (await come_back(client)).status_code == 303, "the neighbours get in"


async def test_who_guesses_is_stopped(issuer: OidcIssuer) -> None:
    async with gateway_of(issuer).client(None) as client:
        answers = [(await come_back(client, code=f"guess-{number}")).status_code for number in range(MANY)]
    assert answers[:10] == [401] * 10
    assert answers[-1] == 429


async def test_a_token_of_the_issuer_begins_a_session_that_lasts(issuer: OidcIssuer) -> None:
    async with gateway_of(issuer).client(None) as client:
        token = issuer.id_token(groups=["legal"])
        answer = await client.post("/session", json={"token": token}, headers=SAME_ORIGIN)
        assert answer.status_code == 204
        session = (await client.get("/session")).json()
        assert session["user"] == "oidc:own", "the API server would not know the token itself"
        assert (await client.get("/organizations")).status_code == 200


async def test_a_token_of_the_cluster_still_does_too(issuer: OidcIssuer) -> None:
    async with gateway_of(issuer).client(None) as client:
        answer = await client.post("/session", json={"token": "own-token"}, headers=SAME_ORIGIN)
        assert answer.status_code == 204
        assert (await client.get("/session")).json()["user"] == "own"
