"""Logging in at an issuer of identities: the code flow, and what is wrong with a token."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from dealguard_gateway.access.impersonation import Identity
from dealguard_gateway.access.oidc import Oidc
from dealguard_gateway.access.sessions import LoginState, SessionCredentials
from dealguard_gateway.problems import ForbiddenProblem, Problem, UnauthenticatedProblem, UnavailableProblem
from tests.standins.certificates import server_certificate
from tests.standins.oidc import OidcIssuer
from tests.unit.gateway_settings import settings

PAGE = "https://contracts.example.com"
USER = {"sub": "42", "email": "anna@example.com", "email_verified": True, "groups": ["legal", "system:masters"]}


class Clock:
    """The real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.added = 0.0

    def __call__(self) -> float:
        """The time."""
        return time.time() + self.added


@pytest.fixture
def issuer() -> Iterator[OidcIssuer]:
    """The issuer, with this gateway's page registered."""
    with OidcIssuer(f"{PAGE}/session/oidc/callback", dict(USER)) as running:
        yield running


def client_of(issuer: OidcIssuer, clock: Clock | None = None, **more: str) -> Oidc:
    """The gateway's side."""
    chosen = settings(OIDC_ISSUER=issuer.url, OIDC_CLIENT_ID="dealguard", PUBLIC_URL=PAGE, **more)
    return Oidc(chosen, clock=clock or Clock())


async def sent_back(url: str) -> dict[str, str]:
    """What the issuer answers a person with who goes to `url`."""
    async with httpx2.AsyncClient(trust_env=False, verify=False) as browser:
        answer = await browser.get(url)
    assert answer.status_code == 303, answer.text
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == f"{PAGE}/session/oidc/callback"
    return {name: values[0] for name, values in parse_qs(back.query).items()}


async def log_in(oidc: Oidc, expires_at: float | None = None, **changed: str) -> SessionCredentials:
    """The whole flow; `changed` alters what was remembered."""
    url, state, nonce, verifier = await oidc.start()
    login = LoginState(state=state, nonce=nonce, verifier=verifier, next="/", expires_at=time.time() + 600)
    ends_at = expires_at or time.time() + 3600
    return await oidc.finish(await sent_back(url), login.model_copy(update=changed), ends_at)


async def test_where_the_cluster_trusts_the_issuer_the_identity_token_is_the_bearer_token(issuer: OidcIssuer) -> None:
    session = await log_in(client_of(issuer), 5e9)
    assert session.token is not None
    assert session.token.count(".") == 2
    assert session.caller is None
    assert session.expires_at == 5e9
    assert session.token_expires_at == pytest.approx(time.time() + 300, abs=10)
    assert issuer.state.refusals == []


async def test_where_it_does_not_the_gateway_names_the_user(issuer: OidcIssuer) -> None:
    session = await log_in(client_of(issuer, OIDC_MODE="impersonate"))
    assert session.token is None
    caller = session.caller
    assert caller is not None
    assert caller.username == "oidc:anna@example.com"
    assert caller.groups == ("oidc:legal", "oidc:system:masters", "system:authenticated")


async def test_a_confidential_client_proves_itself_too() -> None:
    with OidcIssuer(f"{PAGE}/session/oidc/callback", client_secret="s3cret") as issuer:
        assert (await log_in(client_of(issuer, OIDC_CLIENT_SECRET="s3cret"))).token
        with pytest.raises(UnauthenticatedProblem, match="invalid_client"):
            await log_in(client_of(issuer, OIDC_CLIENT_SECRET="another"))


async def test_an_issuer_with_a_certificate_of_the_companys_own_authority(tmp_path: Path) -> None:
    tls, authority = server_certificate("127.0.0.1", tmp_path)
    with OidcIssuer(f"{PAGE}/session/oidc/callback", dict(USER), tls=tls) as issuer:
        assert (await log_in(client_of(issuer, OIDC_AUTHORITY_FILE=str(authority)))).token
        with pytest.raises(UnavailableProblem, match="ConnectError"):
            await log_in(client_of(issuer))


async def test_what_is_sent_to_the_issuer(issuer: OidcIssuer) -> None:
    url, state, nonce, verifier = await client_of(issuer, OIDC_SCOPES="openid offline_access").start()
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert query["scope"] == "openid offline_access"
    assert (query["state"], query["nonce"], query["code_challenge_method"]) == (state, nonce, "S256")
    assert verifier not in url, "only its digest"
    assert len({state, nonce, verifier}) == 3


@pytest.mark.parametrize(
    ("changed", "words", "why"),
    [
        ({"state": "another"}, "not the one that was begun", "an answer to somebody else's login"),
        ({"verifier": "x" * 50}, "invalid_grant", "a stolen code is worth nothing without it"),
        ({"nonce": "another"}, "InvalidClaimError", "a token of another login"),
    ],
)
async def test_a_login_that_is_not_the_one_begun_fails(
    issuer: OidcIssuer, changed: dict[str, str], words: str, why: str
) -> None:
    with pytest.raises(UnauthenticatedProblem) as failed:
        await log_in(client_of(issuer), **changed)
    assert words in failed.value.detail, why


async def test_a_code_is_good_once_and_an_answer_of_another_issuer_never(issuer: OidcIssuer) -> None:
    oidc = client_of(issuer)
    url, state, nonce, verifier = await oidc.start()
    login = LoginState(state=state, nonce=nonce, verifier=verifier, next="/", expires_at=5e9)
    answer = await sent_back(url)
    with pytest.raises(UnauthenticatedProblem, match="somebody else"):
        await oidc.finish({**answer, "iss": "https://evil.example"}, login, 5e9)
    await oidc.finish(answer, login, 5e9)
    with pytest.raises(UnauthenticatedProblem, match="invalid_grant"):
        await oidc.finish(answer, login, 5e9)
    with pytest.raises(UnauthenticatedProblem, match="not the one"):
        await oidc.finish({}, login, 5e9)


FAULTS: list[tuple[Any, type[Problem], str]] = [
    ("wrong nonce", UnauthenticatedProblem, "InvalidClaimError"),
    ("expired", UnauthenticatedProblem, "ExpiredTokenError"),
    ("not yet valid", UnauthenticatedProblem, "Error"),
    ("other audience", UnauthenticatedProblem, "InvalidClaimError"),
    ("other party", UnauthenticatedProblem, "InvalidClaimError"),
    ("other issuer", UnauthenticatedProblem, "InvalidClaimError"),
    ("no subject", UnauthenticatedProblem, "MissingClaimError"),
    ("alg none", UnauthenticatedProblem, "not valid"),
    ("shared secret", UnauthenticatedProblem, "not valid"),
    ("other key", UnauthenticatedProblem, "BadSignatureError"),
    ("no id_token", UnauthenticatedProblem, "no identity"),
    ("denied", UnauthenticatedProblem, "refused or given up"),
    ("token endpoint down", UnavailableProblem, "issuer"),
    ("other metadata", UnavailableProblem, "DEALGUARD_OIDC_ISSUER"),
]


@pytest.mark.parametrize(("fault", "kind", "words"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
async def test_a_login_fails_with(issuer: OidcIssuer, fault: Any, kind: type[Problem], words: str) -> None:
    issuer.state.faults.add(fault)
    with pytest.raises(kind) as failed:
        await log_in(client_of(issuer))
    assert words in failed.value.detail


BEARER_FAULTS = [
    fault for fault, kind, _ in FAULTS
    if kind is UnauthenticatedProblem and fault not in ("wrong nonce", "no id_token", "denied")
]  # fmt: skip


@pytest.mark.parametrize("fault", BEARER_FAULTS)
async def test_a_bearer_token_is_refused_with(issuer: OidcIssuer, fault: Any) -> None:
    oidc = client_of(issuer, OIDC_MODE="impersonate")
    issuer.state.faults.add(fault)
    token = issuer.id_token()
    assert oidc.issued(token) == (fault != "other issuer")
    with pytest.raises(UnauthenticatedProblem):
        await oidc.identity(token)


async def test_a_bearer_token_of_the_issuer_names_its_user_until_it_ends(issuer: OidcIssuer) -> None:
    clock = Clock()
    oidc = client_of(issuer, clock, OIDC_MODE="impersonate")
    token = issuer.id_token()
    expected = Identity("oidc:anna@example.com", ("oidc:legal", "oidc:system:masters"))
    assert oidc.issued(token)
    assert await oidc.identity(token) == await oidc.identity(token) == expected
    clock.added = 400
    with pytest.raises(UnauthenticatedProblem):
        await oidc.identity(token)
    issuer.state.user["email"] = "system:admin"
    with pytest.raises(ForbiddenProblem):
        await client_of(issuer, OIDC_MODE="impersonate", OIDC_USERNAME_PREFIX=" ").identity(issuer.id_token())


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "e30.e30.", "e30.e30.x"])
async def test_other_tokens_are_left_to_the_cluster(issuer: OidcIssuer, token: str) -> None:
    oidc = client_of(issuer, OIDC_MODE="impersonate")
    assert not oidc.issued(token)
    with pytest.raises(UnauthenticatedProblem):
        await oidc.identity(token)


async def test_a_new_key_of_the_issuer_is_found_without_asking_too_often(issuer: OidcIssuer) -> None:
    clock = Clock()
    oidc = client_of(issuer, clock, OIDC_MODE="impersonate")
    await oidc.identity(issuer.id_token())
    issuer.change_key()
    new = issuer.id_token()
    for _ in range(3):
        with pytest.raises(UnauthenticatedProblem):
            await oidc.identity(new)
    assert issuer.state.requests.count("GET /jwks") == 1, "anybody can send tokens with a key that is none"
    clock.added = 31
    assert (await oidc.identity(new)).username == "oidc:anna@example.com"


async def test_a_session_is_renewed_shortly_before_its_token_ends(issuer: OidcIssuer) -> None:
    clock = Clock()
    oidc = client_of(issuer, clock)
    session = await log_in(oidc)
    assert not oidc.needs_renewal(session)
    clock.added = 250
    assert oidc.needs_renewal(session)
    issuer.state.token_seconds = 900
    renewed = await oidc.renew(session)
    assert renewed.token != session.token
    assert renewed.refresh_token not in (None, session.refresh_token)
    assert renewed.expires_at == session.expires_at, "a session does not outlive its lifetime"
    with pytest.raises(UnauthenticatedProblem, match="invalid_grant"):
        await oidc.renew(session)
    clock.added = 4000
    assert not oidc.needs_renewal(renewed)


async def test_a_renewed_session_is_the_same_persons(issuer: OidcIssuer) -> None:
    oidc = client_of(issuer)
    session = await log_in(oidc)
    for claims in issuer.state.refresh_tokens.values():
        claims["sub"] = "43"
    with pytest.raises(UnauthenticatedProblem, match="somebody else"):
        await oidc.renew(session)


async def test_without_a_refresh_token_a_session_ends_with_its_token(issuer: OidcIssuer) -> None:
    issuer.state.gives_refresh_tokens = False
    clock = Clock()
    oidc = client_of(issuer, clock)
    session = await log_in(oidc)
    clock.added = 299
    assert not oidc.needs_renewal(session)
    assert session.ends_at.timestamp() == session.token_expires_at


async def test_an_issuer_that_is_away_is_no_reason_to_fail_for_ever() -> None:
    with OidcIssuer(f"{PAGE}/session/oidc/callback") as issuer:
        oidc = client_of(issuer)
    with pytest.raises(UnavailableProblem) as away:
        await oidc.start()
    assert away.value.status == 503
    assert "Retry-After" in away.value.headers


async def test_an_issuer_that_goes_away_later_leaves_its_tokens_good() -> None:
    clock = Clock()
    with OidcIssuer(f"{PAGE}/session/oidc/callback", dict(USER)) as issuer:
        oidc = client_of(issuer, clock, OIDC_MODE="impersonate")
        issuer.state.token_seconds = 20_000
        await oidc.identity(issuer.id_token())
        another = issuer.id_token(email="ben@example.com")
    clock.added = 4000
    assert (await oidc.identity(another)).username == "oidc:ben@example.com"
